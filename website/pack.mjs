// Reads as JSON: the folder of a site's static files, the text of scripts, the paths of the module that
// all pages run, of stylesheets, of the font for mathematics, and of what else names rules. Writes
// book.js, all scripts in one; book.css, the rules that are named in it or there; and its fonts. The
// scripts that only some pages load are written anew, in fewer letters.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const { folder, script, module, sheets, font, named } = JSON.parse(readFileSync(0, "utf8"));

const bundled = await build({ entryPoints: [module], bundle: true, write: false });
const { code } = await transform(`${script}\n;${bundled.outputFiles[0].text}`, { minify: true });
writeFileSync(`${folder}/book.js`, code);
for (const path of named.filter((name) => name.endsWith(".js"))) {
  // Without the block around a script, what it shares with others and does not use is left out.
  const contents = readFileSync(path, "utf8").replace(/^("use strict";\n)\{\n([^]*)\}\n$/, "$1$2");
  const short = await build({ stdin: { contents }, bundle: true, format: "iife", minify: true, charset: "utf8", write: false });
  writeFileSync(path, short.outputFiles[0].text);
}

const { outputFiles } = await build({
  stdin: { contents: sheets.map((path) => `@import ${JSON.stringify(path)};`).join("\n"), loader: "css", resolveDir: folder },
  bundle: true,
  minify: true,
  write: false,
  outdir: folder,
  assetNames: "fonts/[name]",
  loader: { ".woff2": "file", ".woff": "empty", ".ttf": "empty", ".svg": "dataurl", ".png": "dataurl" },
  // Temml's stylesheet names a font that does not come with it.
  plugins: [{ name: "font", setup: (bundle) => bundle.onResolve({ filter: /STIXTwoMath/ }, () => ({ path: font })) }],
});
const styles = outputFiles.find(({ path }) => path.endsWith(".css")).text;
const [{ css }] = await new PurgeCSS().purge({ css: [{ raw: styles }], content: [...named, `${folder}/book.js`], keyframes: true, fontFace: true, variables: true });
writeFileSync(`${folder}/book.css`, css);
mkdirSync(`${folder}/fonts`, { recursive: true });
for (const { path, contents } of outputFiles) if (css.includes(basename(path))) writeFileSync(path, contents);
