// What may be written at a place of a YAML text, by the schema that the server has of an application. Pure.

const MOST = 12;
const KEY = /^(\s*(?:- +)*)([\w.-]*)$/; // a key that is being written
const VALUE = /^(\s*(?:- +)*)([\w.-]+): +(\S*)$/; // a value that is being written
const LINE = /^(\s*(?:- +)*)([\w.-]+):/; // a key and what is below it

// {start, words: [{text, hint}]}: what may stand from `start` to the caret; null where nothing is known.
export function complete(text, caret, document) {
  const lines = text.slice(0, caret).split("\n");
  const line = lines.pop();
  const value = VALUE.exec(line);
  const written = (value ?? KEY.exec(line))?.at(-1);
  if (written === undefined) return null;
  const column = (value ?? KEY.exec(line))[1].length;
  const { path, siblings } = place(lines, column, /- +$/.test(line.slice(0, column)));
  const fields = path.reduce((known, name) => known?.get(name)?.below(), fieldsOf(document.components.schemas.Application, document));
  if (!fields) return null;
  const found = value
    ? (fields.get(value[2])?.values ?? []).map((one) => ({ text: one, hint: "" }))
    : [...fields].filter(([name]) => !siblings.has(name)).map(([name, { hint, nested }]) => ({ text: `${name}:${nested ? "" : " "}`, hint }));
  const words = found.filter((one) => one.text.startsWith(written) && one.text.trimEnd() !== written).slice(0, MOST);
  return words.length > 0 ? { start: caret - written.length, words } : null;
}

// The keys above the last line that it is below, outermost first; and those beside it, as far as they are above.
function place(lines, column, isItem) {
  const path = [];
  const siblings = new Set();
  let beside = !isItem; // still in the same object
  let inner = column;
  for (const line of lines.toReversed()) {
    const found = LINE.exec(line);
    if (!found) continue;
    const at = found[1].length;
    if (at < inner) {
      path.unshift(found[2]);
      inner = at;
      beside = false;
    } else if (at === column && beside) {
      siblings.add(found[2]);
      beside = !found[1].includes("-");
    }
  }
  return { path, siblings };
}

// Name → {hint, nested, values, below()}, of all that the schema allows there; undefined where it names none.
function fieldsOf(schema, document) {
  const fields = new Map();
  for (const part of parts(schema, document)) {
    for (const [name, one] of Object.entries(part.properties ?? {})) {
      const forms = parts(one, document);
      fields.set(name, {
        hint: one.description ?? "",
        nested: forms.some(({ type }) => type === "object" || type === "array"),
        values: forms.flatMap((form) => form.enum ?? (form.const !== undefined ? [form.const] : form.type === "boolean" ? ["true", "false"] : [])).map(String),
        below: () => fieldsOf(one, document),
      });
    }
  }
  return fields.size > 0 ? fields : undefined;
}

// The schema itself, or what it refers to, or is one of, or is a list of.
function parts(schema, document) {
  if (schema.$ref) return parts(document.components.schemas[schema.$ref.split("/").at(-1)], document);
  const several = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (several) return several.flatMap((one) => parts(one, document));
  return schema.items ? [{ type: "array" }, ...parts(schema.items, document)] : [schema];
}
