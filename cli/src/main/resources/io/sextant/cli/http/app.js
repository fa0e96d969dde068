"use strict";

// Who is asked for: a user's id, or a history that is built here.
let user = "";
let history = [];
// Answers may come back in another order than their requests went out.
let asked = 0;

const at = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function call(path, body) {
  const response = await fetch(path, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok && path !== "/health") throw new Error(answer.error);
  return answer;
}

function say(text, isError) {
  at("message").textContent = text;
  at("message").className = isError ? "error" : "";
}

async function refresh() {
  const mine = ++asked;
  at("history").replaceChildren(...history.map((item) => element("li", item.title)));
  if (!user && history.length === 0) {
    at("list").replaceChildren();
    say("Pick a user or add items to a history.");
    return;
  }
  try {
    const whom = user ? { user } : { history: history.map((item) => item.id) };
    const answer = await call("/v1/explain", { ...whom, k: 8, timeoutMs: 10000 });
    if (mine !== asked) return;
    at("list").replaceChildren(...answer.items.map(shown));
    say(answer.items.length === 0 ? "Nothing is left to recommend." : user ? "For user " + user : "For this history");
  } catch (failure) {
    if (mine === asked) say(failure.message, true);
  }
}

function shown(item) {
  const line = document.createElement("li");
  line.dataset.id = item.id;
  line.append(element("span", item.title, "title"));
  const click = element("button", "clicked", "click");
  click.type = "button";
  click.addEventListener("click", () => clicked(item));
  line.append(click, element("p", item.sentence, "sentence"));
  const most = Math.max(...item.reasons.map((reason) => Math.abs(reason.value)), 1e-9);
  for (const reason of item.reasons) {
    if (Math.abs(reason.value) < most / 50) continue;
    const bar = document.createElement("meter");
    bar.value = Math.abs(reason.value) / most;
    bar.title = reason.value.toFixed(4);
    const row = element("div", "", reason.value < 0 ? "reason against" : "reason");
    row.append(element("span", reason.strategy + " " + reason.value.toFixed(3)), bar);
    line.append(row);
  }
  return line;
}

async function clicked(item) {
  try {
    if (user) {
      await call("/v1/events", { user, item: item.id });
    } else {
      history.push({ id: item.id, title: item.title });
    }
    await refresh();
  } catch (failure) {
    say(failure.message, true);
  }
}

async function findUsers() {
  const found = await call("/v1/users?query=" + encodeURIComponent(at("user").value));
  at("users").replaceChildren(...found.map((id) => {
    const option = document.createElement("option");
    option.value = id;
    return option;
  }));
}

async function findItems() {
  const text = at("item").value.trim();
  const found = text ? await call("/v1/items/search?query=" + encodeURIComponent(text)) : [];
  at("found").replaceChildren(...found.map((item) => {
    const line = document.createElement("li");
    const pick = element("button", item.title, "");
    pick.type = "button";
    pick.addEventListener("click", () => {
      user = "";
      at("user").value = "";
      at("item").value = "";
      at("found").replaceChildren();
      history.push(item);
      refresh();
    });
    line.append(pick);
    return line;
  }));
}

at("user").addEventListener("input", () => findUsers().catch((failure) => say(failure.message, true)));
at("user").addEventListener("change", () => {
  user = at("user").value.trim();
  history = [];
  refresh();
});
at("item").addEventListener("input", () => findItems().catch((failure) => say(failure.message, true)));
at("clear").addEventListener("click", () => {
  user = "";
  history = [];
  at("user").value = "";
  refresh();
});
call("/health").then((health) => { at("model").textContent = "model " + health.modelVersion.slice(0, 12) + ", " + health.status; });
