// What the keyboard and the second thought need. Every page also works without it.
"use strict";

const typing = (target) => target.closest("input, select, textarea, [contenteditable], dialog");

// ---- Keys: single letters, listed on a panel that can switch them off; Escape and a click elsewhere close drop-downs.
const rows = [...document.querySelectorAll("table.rows > tbody > tr")].filter((row) => row.querySelector("a[href]"));

const step = (by) => {
  const here = rows.indexOf(document.activeElement.closest("tr"));
  const row = rows[Math.min(Math.max(here + by, 0), rows.length - 1)];
  row?.querySelector("a[href]").focus();
};

const into = (field) => {
  field?.focus();
  field?.select();
};

const closeDrops = (except) =>
  document.querySelectorAll("details.drop[open]").forEach((drop) => {
    if (drop.contains(except)) return;
    if (drop.contains(document.activeElement)) drop.querySelector("summary").focus();
    drop.open = false;
  });

const find = (what) => document.querySelector(what);
const KEYS = {
  "/": () => into(find(".find input[type=search]")),
  s: () => into(find(".page input[type=search]")),
  j: () => step(1),
  k: () => step(-1),
  n: () => find("a[rel=next]")?.click(),
  p: () => find("a[rel=prev]")?.click(),
  m: () => [...document.querySelectorAll(".page .button.primary")].find((each) => each.checkVisibility())?.focus(),
  g: () => (find(".menu [aria-current]") ?? find(".menu a"))?.focus(),
  h: () => find(".menu a")?.click(),
  "?": () => find("#keys")?.showModal(),
};
// The same keys as a Chinese input method gives them.
Object.assign(KEYS, { "、": KEYS["/"], "？": KEYS["?"] });

const keysOn = find("#keys-on");
if (keysOn) {
  keysOn.checked = localStorage.getItem("keys") !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") closeDrops(null);
  if (event.key === "Enter") enter(event);
  if (typing(event.target) || !keysOn?.checked) return;
  const act = KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  closeDrops(event.target);
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
});

// ---- An ID number typed into a list's own box goes the header's way, where it stands in no address.
document.addEventListener("submit", (event) => {
  const typed = event.target.matches(".bar form[role=search]") && event.target.elements.q.value;
  const header = find(".find");
  if (!typed || !header || !/\d{14}/.test(typed.replace(/[\s-]/g, ""))) return;
  event.preventDefault();
  header.elements.q.value = typed;
  header.requestSubmit();
});

// ---- What the browser says of an empty field it says in its own language; here it is said in ours.
document.addEventListener(
  "invalid",
  ({ target }) => {
    if (target.validity.valueMissing)
      target.setCustomValidity(target.type === "file" ? "请选择要上传的表格文件。" : "请填写这一项。");
  },
  true,
);
for (const name of ["input", "change"])
  document.addEventListener(name, ({ target }) => target.setCustomValidity?.(""), true);

// ---- Enter goes to the next field; after the last one the form is sent, if it has but one button.
const FIELDS = "input:not([type=hidden], [type=submit], [type=file]), select, textarea";

function enter(event) {
  const { target } = event;
  const form = target.form;
  if (form?.method !== "post" || !target.matches("input:not([type=submit], [type=file]), select")) return;
  const fields = [...form.elements].filter((field) => field.matches(FIELDS) && !field.disabled && !field.readOnly);
  const next = fields[fields.indexOf(target) + 1];
  const buttons = [...form.elements].filter((field) => field.matches("button, [type=submit]"));
  if (!next && buttons.length === 1) return;
  event.preventDefault();
  (next ?? buttons[0])?.focus();
}

// ---- A number with a check digit says so while it is typed. The server decides.
const CHECKS = {
  id(number, form) {
    const type = form.elements.namedItem("id_type")?.value;
    if (number.length < 18 || (type && type !== "居民身份证")) return null;
    const sum = [...number.slice(0, 17)].reduce((sum, digit, at) => sum + digit * (2 ** (17 - at) % 11), 0);
    return /^\d{17}[\dX]$/.test(number) && "10X98765432"[sum % 11] === number[17];
  },
  card(number) {
    if (number.length < 12) return null;
    const twice = (digit) => (digit > 4 ? 2 * digit - 9 : 2 * digit);
    const sum = [...number].reverse().reduce((sum, digit, at) => sum + (at % 2 ? twice(+digit) : +digit), 0);
    return sum % 10 === 0;
  },
};

document.addEventListener("input", ({ target }) => {
  const check = CHECKS[target.dataset.check];
  if (!check) return;
  const good = check(target.value.replace(/[\s-]/g, "").toUpperCase(), target.form);
  const said = target.parentElement.querySelector("output") ?? document.createElement("output");
  target.after(said);
  said.value = good === null ? "" : good ? "✓ 校验位相符" : "校验位不符，请再核对";
  said.className = good ? "good" : "error";
});

// ---- A row opens what its first link opens.
for (const row of rows) row.classList.add("opens");

document.addEventListener("click", (event) => {
  const row = event.target.closest("tr.opens");
  if (!row || event.target.closest("a, button, input, label, summary") || String(getSelection())) return;
  const link = row.querySelector("a[href]");
  if (event.ctrlKey || event.metaKey) window.open(link.href);
  else link.click();
});

// ---- Sending: a verb that needs a reason has one, a dangerous one is asked again, nothing is sent twice.
let confirmed = null;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[formaction]");
  const opinion = button?.form.elements.namedItem("opinion");
  if (opinion) opinion.required = "reason" in button.dataset;
});

function ask(dialog, form, button) {
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "yes") return button.focus();
      confirmed = button;
      form.requestSubmit(button);
    },
    { once: true },
  );
  dialog.showModal();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();

  const dialog = button?.dataset.confirm && document.getElementById(button.dataset.confirm);
  if (dialog && confirmed !== button) {
    event.preventDefault();
    ask(dialog, form, button);
    return;
  }
  form.dataset.sent = "yes";
  button?.setAttribute("aria-busy", "true");
  form.querySelector("progress")?.removeAttribute("hidden");
});

// Back from the browser's memory, a page may be sent again.
window.addEventListener("pageshow", () => {
  confirmed = null;
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  document.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  document.querySelectorAll("form progress").forEach((progress) => (progress.hidden = true));
});

// ---- Jobs: their bars move by themselves. A document's page is shown anew when its job has ended, unless somebody types.
for (const bar of document.querySelectorAll("progress[data-job]")) setTimeout(look, 1000, bar);

async function look(bar) {
  const again = () => setTimeout(look, 1000, bar);
  if (document.hidden) return again();
  let job;
  try {
    // It asks by itself: the header says that nobody is at work here.
    const answer = await fetch(bar.dataset.job, { headers: { "X-Polled": "1" }, redirect: "error" });
    if (answer.status >= 500) return again();
    job = await answer.json();
  } catch {
    return setTimeout(look, 5000, bar);
  }
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  } else bar.removeAttribute("value");
  bar.closest(".job").querySelector(".note").textContent = job.ended ? `${job.state_label}：${job.note}` : job.note;
  if (!job.ended) return again();
  const typed = [...document.querySelectorAll("textarea")].some((field) => field.value);
  if ("showsEnd" in bar.dataset && !typed) location.reload();
}

// ---- A file: chosen by a button of ours, or dropped on the whole area around its field.
for (const area of document.querySelectorAll("[data-drop]")) {
  const field = area.querySelector("input[type=file]");
  const said = area.querySelector("output");
  area.classList.add("styled");
  area.querySelectorAll("[hidden]").forEach((part) => (part.hidden = false));
  const say = (text, wrong = false) => {
    said.value = text;
    said.classList.toggle("error", wrong);
  };
  const tell = () => {
    const [file] = field.files;
    if (file) say(`已选择：${file.name}（${Math.max(1, Math.round(file.size / 1024)).toLocaleString("zh-CN")} KB）`);
  };
  const over = (event) => {
    event.preventDefault();
    area.classList.toggle("over", event.type === "dragover");
  };
  field.addEventListener("change", tell);
  area.addEventListener("dragover", over);
  area.addEventListener("dragleave", over);
  area.addEventListener("drop", (event) => {
    over(event);
    const { files } = event.dataTransfer;
    if (files.length !== 1) return say("一次只能交一个文件。", true);
    if (!/\.(xlsx|xls|csv)$/i.test(files[0].name)) return say("只收 .xlsx、.xls、.csv 文件。", true);
    field.files = files;
    field.setCustomValidity("");
    tell();
  });
  tell();
}
