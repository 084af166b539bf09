// Reads as JSON: the folder of a site's static files, the paths of stylesheets, the text of all
// scripts, and the pages. Puts the fonts that the stylesheets name into the folder `fonts` there.
// Writes as JSON: the script, minified, and for each page the rules that it can need, which are
// those whose names stand in the page or in the script. "@static@" in them stands for the folder.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const { folder, sheets, script, pages } = JSON.parse(readFileSync(0, "utf8"));

async function bundled(paths) {
  const contents = paths.map((path) => `@import ${JSON.stringify(path)};`).join("\n");
  const { outputFiles } = await build({
    stdin: { contents, loader: "css", resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    outdir: folder,
    publicPath: "@static@",
    assetNames: "fonts/[name]",
    loader: { ".woff2": "file", ".woff": "empty", ".ttf": "empty", ".svg": "dataurl", ".png": "dataurl" },
  });
  mkdirSync(`${folder}/fonts`, { recursive: true });
  const fonts = outputFiles.filter((file) => !file.path.endsWith(".css"));
  fonts.forEach((font) => writeFileSync(font.path, font.contents));
  return outputFiles.find((file) => file.path.endsWith(".css")).text;
}

async function purged(css, content) {
  const [result] = await new PurgeCSS().purge({
    css: [{ raw: css }],
    content,
    keyframes: true,
  });
  return result.css;
}

const js = { raw: script, extension: "js" };
const html = pages.map((raw) => ({ raw, extension: "html" }));
const needed = await purged(await bundled(sheets), [...html, js]);
process.stdout.write(
  JSON.stringify({
    script: (await transform(script, { minify: true })).code,
    styles: await Promise.all(html.map((page) => purged(needed, [page, js]))),
  }),
);
