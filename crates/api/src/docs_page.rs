//! The page at `/docs`: the OpenAPI document for people, as HTML that needs no script and no network.

use std::fmt::{self, Display, Write as _};

use serde_json::{Map, Value};

use crate::openapi::TAGS;

const STYLE: &str = include_str!("docs_page.css");

/// The page of this document.
pub(crate) fn of(document: &Value) -> String {
    let mut page = String::new();
    write_page(&mut page, document).expect("a string takes everything");
    page
}

/// Text with what HTML would take for markup written otherwise, and `code` in backticks shown as such.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.split('`').enumerate() {
            let is_code = place % 2 == 1;
            f.write_str(if is_code { "<code>" } else { "" })?;
            for letter in part.chars() {
                match letter {
                    '&' => f.write_str("&amp;")?,
                    '<' => f.write_str("&lt;")?,
                    '>' => f.write_str("&gt;")?,
                    '"' => f.write_str("&quot;")?,
                    other => f.write_char(other)?,
                }
            }
            f.write_str(if is_code { "</code>" } else { "" })?;
        }
        Ok(())
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Text<'a> {
    Text(value[name].as_str().unwrap_or_default())
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Each operation with its method and its path, those of one tag together.
fn operations<'a>(
    document: &'a Value,
    tag: &'a str,
) -> impl Iterator<Item = (String, &'a String, &'a Value)> {
    let all = members(&document["paths"]).flat_map(|(path, operations)| {
        members(operations).map(move |(method, operation)| (method.to_uppercase(), path, operation))
    });
    all.filter(move |(.., operation)| items(&operation["tags"]).any(|each| each == tag))
}

fn write_page(page: &mut String, document: &Value) -> fmt::Result {
    let info = &document["info"];
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>The API of Inlet</title><style>{STYLE}</style></head><body>\n<nav aria-label=\"Operations\">"
    )?;
    for (tag, _) in TAGS {
        write!(page, "<h2><a href=\"#{tag}\">{tag}</a></h2><ul>")?;
        for (method, _, operation) in operations(document, tag) {
            let id = text(operation, "operationId");
            write!(
                page,
                "<li><a href=\"#{id}\"><b class=\"{method}\">{method}</b> {}</a></li>",
                text(operation, "summary")
            )?;
        }
        write!(page, "</ul>")?;
    }
    write!(page, "<h2><a href=\"#objects\">objects</a></h2></nav>\n<main><h1>The API of Inlet</h1>")?;
    write!(page, "<p class=\"version\">Version {}. ", text(info, "version"))?;
    write!(page, "<a href=\"/openapi.json\">The OpenAPI document</a> says the same to programs.</p>")?;
    paragraphs(page, info["description"].as_str().unwrap_or_default())?;
    for (tag, about) in TAGS {
        write!(page, "\n<section id=\"{tag}\"><h2>{tag}</h2><p>{}</p>", Text(about))?;
        for (method, path, operation) in operations(document, tag) {
            write_operation(page, &method, path, operation)?;
        }
        write!(page, "</section>")?;
    }
    write!(page, "\n<section id=\"objects\"><h2>objects</h2>")?;
    for (name, schema) in members(&document["components"]["schemas"]) {
        write!(page, "<article id=\"object-{name}\"><h3>{name}</h3>")?;
        write_schema(page, schema)?;
        write!(page, "</article>")?;
    }
    writeln!(page, "</section></main></body></html>")
}

fn paragraphs(page: &mut String, description: &str) -> fmt::Result {
    description
        .split("\n\n")
        .filter(|part| !part.is_empty())
        .try_for_each(|part| write!(page, "<p>{}</p>", Text(part)))
}

fn write_operation(page: &mut String, method: &str, path: &str, operation: &Value) -> fmt::Result {
    let id = text(operation, "operationId");
    write!(page, "\n<article id=\"{id}\"><h3>{}</h3>", text(operation, "summary"))?;
    write!(page, "<pre class=\"call\"><b class=\"{method}\">{method}</b> {}</pre>", Text(path))?;
    paragraphs(page, operation["description"].as_str().unwrap_or_default())?;
    if operation["parameters"].is_array() {
        write!(page, "<h4>Parameters</h4><table>")?;
        for param in items(&operation["parameters"]) {
            let (name, place) = (text(param, "name"), text(param, "in"));
            write!(
                page,
                "<tr><th><code>{name}</code> <small>{place}</small></th><td>{}",
                kind(&param["schema"])
            )?;
            write!(page, "<td>{}</tr>", text(param, "description"))?;
        }
        write!(page, "</table>")?;
    }
    if operation["requestBody"].is_object() {
        write!(page, "<h4>Body</h4>")?;
        write_content(page, &operation["requestBody"]["content"])?;
    }
    write!(page, "<h4>Answers</h4><dl>")?;
    for (status, response) in members(&operation["responses"]) {
        if response["x-codes"].is_array() {
            write_codes(page, status, response)?;
        } else {
            write!(page, "<dt class=\"good\">{status}</dt><dd>{}", text(response, "description"))?;
            write_content(page, &response["content"])?;
            write!(page, "</dd>")?;
        }
    }
    write!(page, "</dl></article>")
}

/// The codes of a bad answer, each with the way to its page.
fn write_codes(page: &mut String, status: &str, response: &Value) -> fmt::Result {
    write!(page, "<dt class=\"bad\">{status}</dt><dd>")?;
    for (place, code) in items(&response["x-codes"]).filter_map(Value::as_str).enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        write!(page, "{comma}<a href=\"/docs/errors/{code}\"><code>{code}</code></a>")?;
    }
    write!(page, "</dd>")
}

fn write_content(page: &mut String, content: &Value) -> fmt::Result {
    for (media_type, body) in members(content) {
        write!(page, "<p><small>{}</small> {}</p>", Text(media_type), kind(&body["schema"]))?;
        if let Some(example) = body.get("example") {
            let example = serde_json::to_string_pretty(example).map_err(|_| fmt::Error)?;
            write!(page, "<pre>{}</pre>", Text(&example))?;
        }
    }
    Ok(())
}

fn write_schema(page: &mut String, schema: &Value) -> fmt::Result {
    paragraphs(page, schema["description"].as_str().unwrap_or_default())?;
    let no_members = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&no_members);
    if properties.is_empty() {
        return write!(page, "<p>{}</p>", kind(schema));
    }
    write!(page, "<table>")?;
    for (name, member) in properties {
        let needed = items(&schema["required"]).any(|each| each == name.as_str());
        let mark = if needed { "" } else { " <small>optional</small>" };
        write!(page, "<tr><th><code>{}</code>{mark}</th><td>{}", Text(name), kind(member))?;
        write!(page, "<td>{}</tr>", text(member, "description"))?;
    }
    write!(page, "</table>")
}

/// What a value is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#object-{name}\">{name}</a>");
    }
    let either = items(&schema["anyOf"]).chain(items(&schema["oneOf"]));
    let several: Vec<String> = either.map(kind).collect();
    if !several.is_empty() {
        return several.join(" or ");
    }
    let word = match &schema["type"] {
        Value::String(word) => word.clone(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    };
    let choices: Vec<String> =
        items(&schema["enum"]).map(|each| format!("<code>{}</code>", Text(&each.to_string()))).collect();
    match (word.starts_with("array"), choices.is_empty()) {
        (true, _) => format!("{word} of {}", kind(&schema["items"])),
        (_, false) => choices.join(" "),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markup_in_texts_is_shown_and_not_obeyed() {
        assert_eq!(Text("a <b> & `c<d`").to_string(), "a &lt;b&gt; &amp; <code>c&lt;d</code>");
    }

    #[test]
    fn a_kind_is_told_in_a_few_words() {
        assert_eq!(kind(&json!({"type": ["string", "null"]})), "string or null");
        assert_eq!(kind(&json!({"type": "array", "items": {"type": "integer"}})), "array of integer");
        assert_eq!(
            kind(&json!({"anyOf": [{"$ref": "#/components/schemas/Sync"}, {"type": "null"}]})),
            "<a href=\"#object-Sync\">Sync</a> or null"
        );
        assert_eq!(kind(&json!({})), "any");
    }
}
