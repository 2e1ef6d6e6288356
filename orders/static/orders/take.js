// An order that staff take: customers and products are looked up while they type, the services decide when they send.
"use strict";

const page = JSON.parse(document.getElementById("asked").textContent);
const form = document.getElementById("take");
const field = (name) => document.getElementById(name);
const told = form.querySelector(".told");
const body = form.querySelector(".lines tbody");
const isNew = page.method === "POST";
// What a manager may go over with a reason.
const CAN_BE_OVERRIDDEN = ["too_late", "shop_closed", "capacity_exceeded", "maximum_exceeded"];

let lines = [];
let account = field("account").dataset.customer;
let placed = 0;
let busy = false;

const cents = (text) => Math.round(parseFloat(text) * 100);
const money = (amount) => (amount / 100).toFixed(2);

async function ask(address, parameters) {
  const answer = await fetch(`${address}?${new URLSearchParams(parameters)}`, { headers: { Accept: "application/json" } });
  if (answer.redirected || !answer.ok) throw new Error(answer.status);
  return (await answer.json()).data;
}

// --- A text field that offers what fits ------------------------------------------------------------------------------

function offer(input, { least, search, show, choose }) {
  const list = field(input.getAttribute("aria-controls"));
  let found = [];
  let at = -1;
  let asked = 0;
  let timer = 0;
  let looked = null;

  function close() {
    asked += 1;
    looked = null;
    clearTimeout(timer);
    found = [];
    at = -1;
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    at = index;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (at >= 0) input.setAttribute("aria-activedescendant", list.children[at].id);
  }

  function take(index) {
    const chosen = found[index];
    close();
    choose(chosen);
  }

  async function look() {
    clearTimeout(timer);
    const words = input.value.trim();
    if (words.length < least) return close();
    const mine = ++asked;
    let rows;
    try {
      rows = await search(words);
    } catch {
      close(); // what is listed belongs to other words
      return say("Nothing could be looked up: the server does not answer, or you are no longer signed in.", true);
    }
    if (mine !== asked) return undefined;
    found = rows;
    looked = words;
    list.replaceChildren(
      ...rows.map((row, index) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${index}`;
        item.setAttribute("role", "option");
        item.append(...show(row).map((text) => Object.assign(document.createElement("span"), { textContent: text })));
        item.addEventListener("mousedown", (event) => event.preventDefault());
        item.addEventListener("click", () => take(index));
        return item;
      }),
    );
    if (!rows.length && least === 0) {
      list.append(Object.assign(document.createElement("li"), { className: "none", textContent: "No product is called so." }));
    }
    input.setAttribute("aria-expanded", String(rows.length > 0));
    return mark(least === 0 && rows.length ? 0 : -1);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 120);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") close();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!found.length) return look();
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((at + step + found.length) % found.length);
    }
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      // Whoever types fast is ahead of the list.
      const words = input.value.trim();
      if (least === 0 && words && words !== looked) await look();
      if (found.length && (at >= 0 || least === 0)) take(Math.max(at, 0));
    }
    return undefined;
  });
  return close;
}

// --- Who -------------------------------------------------------------------------------------------------------------

function setAccount(id) {
  account = id;
  field("account").hidden = !id;
}

offer(field("customer_name"), {
  least: 2,
  search: (words) => ask(page.customers, { q: words }),
  show: (customer) => [customer.name, [customer.phone, customer.email].filter(Boolean).join(" · ")],
  choose(customer) {
    for (const name of ["name", "phone", "email"]) field(`customer_${name}`).value = customer[name];
    setAccount(String(customer.id));
    field("day").focus();
  },
});
// Another name is another person; a changed order stays with the account it has.
field("customer_name").addEventListener("input", () => isNew && setAccount(""));
field("no_account").addEventListener("click", (event) => {
  event.preventDefault();
  setAccount("");
  field("customer_name").focus();
});

// --- What ------------------------------------------------------------------------------------------------------------

function addLine(goods) {
  if (lines.length >= page.most_lines) return fail("items", `An order has at most ${page.most_lines} lines.`);
  const row = field("line").content.cloneNode(true).firstElementChild;
  const part = (selector) => row.querySelector(selector);
  const line = {
    id: goods.id,
    product: goods.product,
    price: cents(goods.price),
    left: goods.left,
    why_not: goods.why_not,
    row,
    quantity: part("input.quantity"),
    note: part("input.note"),
    error: part(".error"),
  };
  part(".name span").textContent = goods.name;
  line.quantity.value = goods.quantity ?? 1;
  line.note.value = goods.note ?? "";
  line.quantity.addEventListener("input", reckon);
  line.quantity.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) field("product").focus();
  });
  part(".remove").setAttribute("aria-label", `Remove ${goods.name}`);
  part(".remove").addEventListener("click", () => {
    lines = lines.filter((other) => other !== line);
    row.remove();
    reckon();
    field("product").focus();
  });
  lines.push(line);
  body.append(row);
  reckon();
  return line.quantity.select();
}

function leftOf({ left, why_not }) {
  return why_not || (left === null ? "no limit" : `${left} left`);
}

function reckon() {
  let total = 0;
  for (const line of lines) {
    const quantity = Number(line.quantity.value) || 0;
    total += quantity * line.price;
    line.row.querySelector(".each").textContent = money(line.price);
    line.row.querySelector(".together").textContent = money(quantity * line.price);
    const left = line.row.querySelector(".left");
    left.textContent = leftOf(line);
    left.classList.toggle("short", Boolean(line.why_not) || (typeof line.left === "number" && quantity > line.left));
  }
  field("total").textContent = money(total);
}

function about(more) {
  const asked = [["day", field("day").value], ...more];
  return page.order ? [...asked, ["order", page.order]] : asked;
}

async function refresh() {
  if (!lines.length || !field("day").value) return;
  let rows;
  try {
    rows = await ask(page.goods, about(lines.map((line) => ["id", line.product])));
  } catch {
    return;
  }
  for (const line of lines) {
    const row = rows.find((goods) => goods.id === line.product);
    if (!row) continue;
    line.left = row.left;
    line.why_not = row.why_not;
    // What was ordered before keeps its price.
    if (!line.id) line.price = cents(row.price);
  }
  reckon();
}

const closeProducts = offer(field("product"), {
  least: 0,
  search: (words) => ask(page.goods, about([["q", words]])),
  show: (goods) => [goods.name, `${goods.price} · ${leftOf(goods)}`],
  choose(goods) {
    field("product").value = "";
    const there = lines.find((line) => line.product === goods.id);
    if (there) there.quantity.select();
    else addLine({ ...goods, id: undefined, product: goods.id });
  },
});
field("day").addEventListener("change", () => {
  closeProducts();
  refresh();
});

field("fulfilment").addEventListener("change", () => {
  field("where").hidden = field("fulfilment").value !== "delivery";
});

// --- What the services say -------------------------------------------------------------------------------------------

function say(text, refused = false, links = []) {
  told.classList.toggle("refused", refused);
  told.replaceChildren(text, ...links.flatMap(([label, href]) => [" ", Object.assign(document.createElement("a"), { textContent: label, href })]));
}

function clearErrors() {
  say("");
  form.querySelectorAll(".error").forEach((slot) => (slot.textContent = ""));
  form.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
}

// Show a message beside the field that it is about; return that field, or nothing where there is none.
function fail(name, message) {
  const [, index, part] = /^items\.(\d+)(?:\.(\w+))?$/.exec(name ?? "") ?? [];
  const line = lines[index];
  const slot = line ? line.error : form.querySelector(`[data-error="${CSS.escape(name ?? "")}"]`);
  if (!slot) {
    say([told.textContent, message].filter(Boolean).join(" "), true);
    return null;
  }
  slot.textContent = [slot.textContent, message].filter(Boolean).join(" ");
  const input = line ? (part === "note" ? line.note : line.quantity) : { due_at: field("time"), items: field("product") }[name] ?? field(name);
  input?.setAttribute("aria-invalid", "true");
  return input;
}

function showErrors(errors) {
  if (errors.some((error) => error.code === "idempotency_mismatch")) {
    placed += 1;
    say("What was sent before became an order after all. Look for it before you send this as another one.", true, [["All orders", page.list]]);
    return;
  }
  const inputs = errors.map((error) => fail(error.field, error.message));
  const canBeOverridden = errors.some((error) => CAN_BE_OVERRIDDEN.includes(error.code));
  if (canBeOverridden) say(field("override") ? "The rules refuse it. You may go over them: give a reason below." : "The rules refuse it. A manager may go over them, with a reason.", true);
  inputs.find(Boolean)?.focus();
  if (!inputs.some(Boolean)) told.scrollIntoView({ block: "nearest" });
  refresh();
}

function wanted() {
  const value = (name) => field(name).value.trim();
  const order = {
    customer: account ? Number(account) : null,
    fulfilment: value("fulfilment"),
    consumption: value("consumption"),
    address: value("address"),
    notes: value("notes"),
    items: lines.map((line) => ({
      ...(line.id ? { id: line.id } : {}),
      product: line.product,
      quantity: Number(line.quantity.value),
      note: line.note.value,
    })),
  };
  // A time that was not touched keeps its seconds, and is no move that the rules would look at again.
  const moved = ["day", "time"].some((name) => field(name).value !== field(name).defaultValue);
  if (isNew || moved) order.due_at = `${value("day")}T${value("time")}`;
  for (const name of ["customer_name", "customer_phone", "customer_email"]) order[name] = value(name);
  if (field("override") && value("override")) order.override = value("override");
  return order;
}

function missing() {
  const errors = [];
  if (!field("customer_name").value.trim() && !account) errors.push({ field: "customer_name", message: "Who is it for?" });
  if (!field("day").value || !field("time").value) errors.push({ field: "due_at", message: "Say for which day, and at what time." });
  if (!lines.length) errors.push({ field: "items", message: "What is to be ordered?" });
  return errors;
}

function startAnew(order) {
  placed += 1;
  const due = `${order.due_at.slice(0, 10)}, ${order.due_at.slice(11, 16)}`;
  form.reset();
  lines = [];
  body.replaceChildren();
  setAccount("");
  field("where").hidden = true;
  reckon();
  say(`Order ${order.code} is placed: ${order.total} ${page.currency}, for ${due}.`, false, [["Look at it", page.change.replace("/0/", `/${order.id}/`)]]);
  field("customer_name").focus();
}

async function send() {
  if (busy) return;
  clearErrors();
  const errors = missing();
  if (errors.length) {
    showErrors(errors);
    return;
  }
  busy = true;
  form.querySelector(".total button").disabled = true;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  // The same form sent again is the same order.
  if (isNew) headers["Idempotency-Key"] = `${page.key}-${placed}`;
  else headers["If-Match"] = `"${page.version}"`;
  try {
    const answer = await fetch(page.save, { method: page.method, headers, body: JSON.stringify(wanted()) });
    if (answer.redirected) throw new TypeError("signed out");
    const { data, errors: refused } = await answer.json();
    if (!answer.ok) showErrors(refused);
    else if (isNew) startAnew(data);
    else location.assign(page.done);
  } catch {
    say("There was no answer: the server is away, or you are no longer signed in. Send it again; it becomes one order only.", true);
  } finally {
    busy = false;
    form.querySelector(".total button").disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    send();
  } else if (event.target.tagName === "INPUT") {
    event.preventDefault(); // half an order is not to be placed by a key too many
  }
});

page.lines.forEach((line) => addLine({ ...line, left: null, why_not: "" }));
refresh();
field(isNew ? "customer_name" : "product").focus();
