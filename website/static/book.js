// What every page runs, one file for each need.
import "./theme.js";
import "./dialogs.js";
import "./contents.js";
import "./boxes.js";
import "./wide.js";
import "./tables.js";
import "./glossary.js";
import "./formulas.js";
import "./hover.js";
