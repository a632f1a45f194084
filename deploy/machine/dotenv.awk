# Reads .env as Compose does. -v want=NAME: prints its value. -v list=names: all names. -v list=dollars: names whose value has a
# dollar outside single quotes, which Compose takes for the beginning of a variable.

# The name of a variable at the beginning of text, or nothing.
function name_at(text) { return match(text, /^[A-Za-z_][A-Za-z0-9_]*/) ? substr(text, 1, RLENGTH) : "" }

function value_of(variable) { return variable in ENVIRON && ENVIRON[variable] != "" ? ENVIRON[variable] : values[variable] }

# Variables in text replaced; \$ is a dollar where the text was in double quotes, and $$ everywhere.
function expand(text, in_quotes,   out, c, variable, rest, end, fallback) {
  out = ""
  while (text != "") {
    c = substr(text, 1, 1)
    if (c == "\\" && in_quotes) {
      c = substr(text, 2, 1)
      out = out (c == "n" ? "\n" : c == "r" ? "\r" : c == "t" ? "\t" : index("\\\"$", c) ? c : "\\" c)
      text = substr(text, 3)
    } else if (c == "$" && substr(text, 2, 1) == "$") {
      out = out "$"
      text = substr(text, 3)
    } else if (c == "$" && substr(text, 2, 1) == "{") {
      dollars[key] = 1
      end = index(text, "}")
      if (!end) return out text
      rest = substr(text, 3, end - 3)
      variable = name_at(rest)
      fallback = substr(rest, length(variable) + 1)
      sub(/^:?-/, "", fallback)
      out = out (value_of(variable) != "" ? value_of(variable) : fallback)
      text = substr(text, end + 1)
    } else if (c == "$" && (variable = name_at(substr(text, 2))) != "") {
      dollars[key] = 1
      out = out value_of(variable)
      text = substr(text, length(variable) + 2)
    } else {
      out = out c
      text = substr(text, 2)
    }
  }
  return out
}

# The text up to its closing quote, which no backslash precedes; more lines are read until there is one.
function quoted(text, quote,   out, c, more) {
  out = ""
  while (1) {
    if (text == "") {
      if ((getline more) <= 0) return out
      out = out "\n"
      text = more
      continue
    }
    c = substr(text, 1, 1)
    if (c == quote) return out
    if (c == "\\" && length(text) > 1) {
      out = out (quote == "'" && substr(text, 2, 1) == quote ? quote : substr(text, 1, 2))
      text = substr(text, 3)
    } else {
      out = out c
      text = substr(text, 2)
    }
  }
}

{
  sub(/\r$/, "")
  sub(/^[ \t]*(export[ \t]+)?/, "")
  if (!match($0, /^[A-Za-z_][A-Za-z0-9_.-]*[ \t]*[=:]/)) next
  key = substr($0, 1, RLENGTH - 1)
  text = substr($0, RLENGTH + 1)
  sub(/[ \t]+$/, "", key)
  sub(/^[ \t]+/, "", text)
  if (!(key in values)) order[++count] = key
  first = substr(text, 1, 1)
  if (first == "'") values[key] = quoted(substr(text, 2), "'")
  else if (first == "\"") values[key] = expand(quoted(substr(text, 2), "\""), 1)
  else {
    if (substr(text, 1, 1) == "#") text = ""
    sub(/[ \t]+#.*/, "", text)
    sub(/[ \t]+$/, "", text)
    values[key] = expand(text, 0)
  }
}

END {
  if (list == "") printf "%s", values[want]
  else for (i = 1; i <= count; i++) if (list == "names" || order[i] in dollars) print order[i]
}
