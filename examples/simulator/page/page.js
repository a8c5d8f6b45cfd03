"use strict";

const maxLines = 400;
const maxMessages = 50;
const byId = id => document.getElementById(id);
const show = (id, text) => { byId(id).textContent = text; };

// make returns an element with a class, a text and what it contains.
function make(name, className, text, ...inside) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  element.append(...inside);
  return element;
}

// clock is a time of day with milliseconds, in the zone of the browser.
function clock(time) {
  const d = new Date(time);
  return d.toTimeString().slice(0, 8) + "." + String(d.getMilliseconds()).padStart(3, "0");
}

function trouble(text) {
  show("trouble", text);
  byId("trouble").hidden = !text;
}

// post does something and shows the state that it leads to.
async function post(path, body) {
  try {
    const answer = await fetch("/" + path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    showState(await answer.json());
    trouble("");
    return true;
  } catch (error) {
    trouble(error.message);
    return false;
  }
}

let sliding = false; // the slider is the user's while it moves

function showState(s) {
  document.title = s.kind + " " + s.number + " · telemodem simulator";
  for (const name of ["kind", "model", "number", "imei", "place"]) show(name, s[name]);
  show("phone-number", s.phone);
  show("power", s.on ? "on" : "off, or starting");
  show("port", s.plugged ? "there" : "gone");
  byId("plug").hidden = s.plugged;
  show("sim", simText(s.sim));
  byId("circuit").classList.toggle("on", s.circuit);
  byId("packet").classList.toggle("on", s.packet);
  show("strength", `${s.signal} dBm, +CSQ ${s.rssi}`);
  if (!sliding) byId("signal").value = s.signal;
  for (const button of document.querySelectorAll("[data-coverage]")) {
    button.setAttribute("aria-pressed", String(button.dataset.coverage === s.coverage));
  }
  showFaults(s.faults);
}

function simText(sim) {
  if (!sim.in) return "not in its slot";
  const tries = { "SIM PIN": `, ${sim.pinLeft} tries`, "SIM PUK": `, ${sim.pukLeft} tries` }[sim.state] || "";
  const locked = sim.hasPIN && sim.state === "READY" ? `, opened with its PIN, ${sim.pinLeft} tries` : "";
  return `${sim.state}${tries}${locked}; ICCID ${sim.iccid}`;
}

function showFaults(faults) {
  byId("clear-all").hidden = faults.length === 0;
  if (faults.length === 0) {
    byId("active").replaceChildren(make("li", "none", "none"));
    return;
  }
  byId("active").replaceChildren(...faults.map(f => {
    const clear = make("button", "", "Clear");
    clear.onclick = () => post("faults/clear", { id: f.id });
    return make("li", "", f.id + " " + f.name, clear);
  }));
}

// append adds to a list and drops its oldest.
function append(list, element, limit) {
  list.append(element);
  while (list.childElementCount > limit) list.firstElementChild.remove();
}

function showLine(line) {
  const log = byId("dialogue");
  const port = line.port === "AT" ? "" : line.port + ": ";
  const mark = line.from === "host" ? "→" : "←";
  append(log, make("div", line.from, "", make("time", "", clock(line.time)), make("span", "", mark), make("span", "", port + line.text)), maxLines);
  if (byId("follow").checked) log.scrollTop = log.scrollHeight;
}

function showMessage(m) {
  const list = byId("messages");
  list.querySelector(".none")?.remove();
  append(list, make("li", "", m.text, make("div", "none", clock(m.time) + " from " + m.from)), maxMessages);
  list.scrollTop = list.scrollHeight;
}

function listen() {
  const events = new EventSource("/events");
  const on = (name, fn) => events.addEventListener(name, e => fn(JSON.parse(e.data)));
  on("state", showState);
  on("dialogue", showLine);
  on("message", showMessage);
  on("lost", k => append(byId("dialogue"), make("div", "note", "", make("span"), make("span"), make("span", "", k + " lines too fast for this page")), maxLines));
  events.onopen = () => show("connection", "live");
  events.onerror = () => show("connection", "no connection to the simulator");
}

async function listFaults() {
  const faults = await (await fetch("/faults")).json();
  byId("fault").append(...faults.map(f => new Option(f.ID + " " + f.Name, f.ID)));
  const uses = () => show("uses", faults[byId("fault").selectedIndex].Uses);
  byId("fault").onchange = uses;
  uses();
}

function wire() {
  for (const button of document.querySelectorAll("[data-post]")) {
    button.onclick = () => post(button.dataset.post, JSON.parse(button.dataset.body));
  }
  byId("signal").oninput = e => {
    sliding = true;
    post("signal", { dBm: Number(e.target.value) });
  };
  byId("signal").onchange = () => { sliding = false; };
  byId("sms").onsubmit = async e => {
    e.preventDefault();
    if (await post("sms", { text: byId("text").value })) byId("text").value = "";
  };
  byId("inject").onsubmit = e => {
    e.preventDefault();
    const parameters = byId("parameters").value.trim();
    post("faults", { fault: byId("fault").value + (parameters && ":" + parameters) });
  };
  byId("wipe").onclick = () => byId("dialogue").replaceChildren();
}

wire();
listen();
listFaults().catch(error => trouble("the faults could not be listed: " + error.message));
