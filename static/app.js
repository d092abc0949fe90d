// What the pages do better with JavaScript. Everything here may be missing:
// forms post, links lead on, and times are printed in UTC.
(() => {
	"use strict";

	const all = (root, selector) => root.querySelectorAll(selector);
	const say = (selector) => announce(document.querySelector(selector)?.textContent ?? "");
	const since = (time) => Date.now() - time;
	const byId = (id) => document.getElementById(id);
	const refresh = (id) => byId(id)?.dispatchEvent(new Event("refresh"));
	const lookAgain = () => { refresh("status"); refresh("prompt"); };

	// What is below an open dialog is heard by nobody.
	function announce(text) {
		const announcer = document.querySelector("dialog[open] [aria-live]") ?? byId("announcer");
		if (announcer.textContent !== text) announcer.textContent = text;
	}

	// Times, in the reader's own zone.

	const spoken = document.documentElement.lang;
	const locale = navigator.languages.find((tag) => tag.split("-")[0] === spoken.split("-")[0]) ?? (spoken === "en" ? "en-GB" : spoken);
	const clock = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

	function showLocalTimes() {
		for (const time of all(document, "time[datetime]")) {
			time.title = time.dateTime;
			time.textContent = clock.format(new Date(time.dateTime));
		}
	}

	// Countdowns. The end is fixed when the sentence is first seen, because
	// timers stop while a phone sleeps.

	const ends = new WeakMap();

	function tick() {
		for (const sentence of all(document, "[data-countdown]")) {
			if (!ends.has(sentence)) ends.set(sentence, Date.now() + 1000 * sentence.dataset.countdown);
			const left = Math.max(0, Math.ceil((ends.get(sentence) - Date.now()) / 1000));
			if (left === 0) finish(sentence);
			else show(sentence, left);
		}
		gate();
	}

	function show(sentence, left) {
		const hours = Math.floor(left / 3600), minutes = Math.floor(left / 60) % 60;
		sentence.querySelector("[data-left]").textContent = hours > 0
			? `${hours}:${String(minutes).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`
			: `${minutes}:${String(left % 60).padStart(2, "0")}`;
		if (left === 60 && sentence.dataset.countdown > 60) announce(sentence.textContent);
	}

	function finish(sentence) {
		sentence.removeAttribute("data-countdown");
		sentence.textContent = sentence.dataset.done;
		announce(sentence.dataset.done);
	}

	// A button that works only after the end of a countdown, or only until then, names it.
	function gate() {
		const runs = (id) => byId(id)?.hasAttribute("data-countdown") ?? false;
		for (const button of all(document, "button[data-after], button[data-until]")) {
			const { after, until } = button.dataset;
			button.disabled = (after !== undefined && runs(after)) || (until !== undefined && !runs(until));
		}
	}

	// One submit at a time. The mark goes when the page comes back from the
	// browser's cache, and after a while: nobody hears of the stop button.

	function busy(form) {
		form.setAttribute("aria-busy", "true");
		announce(form.querySelector("[data-busy]")?.dataset.busy ?? "");
	}

	function idle(form) {
		form.removeAttribute("aria-busy");
		for (const told of all(form, "[data-progress]")) told.textContent = told.dataset.progress;
	}

	document.addEventListener("submit", (event) => {
		if (event.defaultPrevented) return; // htmx sends it
		if (event.target.getAttribute("aria-busy")) return event.preventDefault();
		busy(event.target);
		if ("download" in event.target.dataset) return download(event.target);
		setTimeout(idle, 15000, event.target);
	});

	// A download leaves the page as it stands: what was wrong before must go, and
	// the password must not wait for the next who comes by.
	function download(form) {
		for (const old of all(document, "#main .problem, #main .error")) old.remove();
		for (const field of all(form, "[aria-invalid]")) field.removeAttribute("aria-invalid");
		setTimeout(() => {
			idle(form);
			for (const field of all(form, "[type=password]")) field.value = "";
		}, 3000);
	}

	window.addEventListener("pageshow", ({ persisted }) => {
		all(document, "form[aria-busy]").forEach(idle);
		if (persisted) lookAgain();
	});

	// Garmin's own page in a frame, which is asked for only when its button is
	// pressed. At its end it posts a ticket, which goes the way of a pasted one.

	document.addEventListener("click", ({ target }) => {
		const button = target.closest("[data-frame]");
		if (button) openFrame(button);
	});

	function openFrame(button) {
		const frame = document.createElement("iframe");
		frame.id = "garmin-frame";
		frame.title = button.dataset.title;
		frame.sandbox = button.dataset.sandbox;
		frame.referrerPolicy = "no-referrer";
		frame.src = button.dataset.frame;
		button.hidden = true;
		button.after(frame);
		frame.focus();
	}

	window.addEventListener("message", ({ source, origin, data }) => {
		const frame = byId("garmin-frame");
		const button = frame?.previousElementSibling;
		if (!frame || source !== frame.contentWindow || origin !== button.dataset.origin) return;
		const ticket = data?.serviceTicket;
		if (typeof ticket !== "string" || !ticket.startsWith("ST-")) return;
		const field = byId("ticket");
		frame.remove();
		button.hidden = false;
		field.value = ticket;
		field.form.querySelector("[type=submit]").focus();
		field.form.requestSubmit();
	});

	// Fields.

	document.addEventListener("input", ({ target }) => {
		if (target.matches("[data-digits]") && /\s/.test(target.value)) target.value = target.value.replace(/\s+/g, "");
	});

	document.addEventListener("click", ({ target }) => {
		const button = target.closest("[data-reveals]");
		if (button) reveal(button, button.getAttribute("aria-pressed") !== "true");
	});

	function reveal(button, visible) {
		byId(button.dataset.reveals).type = visible ? "text" : "password";
		button.setAttribute("aria-pressed", visible);
	}

	// A password that is sent as type=text may be kept in the browser's form history.
	document.addEventListener("submit", ({ target }) => {
		for (const button of all(target, "[data-reveals]")) reveal(button, false);
	}, true);

	// Buttons that show or close a dialog, where browsers do not do it by themselves.

	document.addEventListener("click", ({ target }) => {
		const button = target.closest("button[commandfor]");
		if (!button || "commandForElement" in button) return;
		const dialog = byId(button.getAttribute("commandfor"));
		if (button.getAttribute("command") === "close") dialog.close(); else dialog.showModal();
	});

	// htmx.

	const isForm = (event) => event.detail.ctx?.sourceElement?.matches("form");
	const polls = (element) => element?.matches("#status, #prompt, #counters") ?? false;
	const lost = (visible) => { for (const told of all(document, ".lost")) told.hidden = !visible; };

	document.addEventListener("htmx:config:request", (event) => {
		const { sourceElement, sourceEvent } = event.detail.ctx;
		if (!polls(sourceElement)) return;
		if (document.hidden || (sourceEvent.type === "every" && upToDate(sourceElement.id))) event.preventDefault();
	});
	document.addEventListener("htmx:before:request", (event) => {
		if (!isForm(event)) return;
		lost(false);
		busy(event.detail.ctx.sourceElement);
	});
	// What does not come from us, such as a proxy's own 502, must not take the page's place.
	document.addEventListener("htmx:before:response", (event) => {
		const { response, sourceElement } = event.detail.ctx;
		if (response.headers.has("X-Request-Id")) return;
		event.preventDefault();
		if (!polls(sourceElement)) lost(true);
	});
	// Whatever went wrong, a click must not stay without an answer; a poll may.
	document.addEventListener("htmx:error", (event) => {
		if (!polls(event.detail.ctx?.sourceElement)) lost(true);
	});
	document.addEventListener("htmx:finally:request", (event) => {
		if (isForm(event)) idle(event.detail.ctx.sourceElement);
	});
	document.addEventListener("htmx:before:settle", enhance);
	document.addEventListener("htmx:after:swap", (event) => {
		const { target, sourceElement } = event.detail.ctx;
		came[target?.id]?.(sourceElement);
	});

	// What is done when something has come, by where it was put.
	const came = { main: mainCame, standing: standingCame, status: statusCame, prompt: promptCame, relink: sheetCame };

	function standingCame() {
		say("#checked, #standing .problem");
		statusCame();
	}

	function mainCame() {
		say("#main .notice, #main .problem:not([autofocus])");
		(document.querySelector("#main [autofocus]") ?? document.querySelector("#main h1"))?.focus();
		refresh("prompt");
	}

	// An answer that leads to the same page is no step to go back to.
	document.addEventListener("htmx:before:history:update", (event) => {
		if (event.detail.history.path === location.pathname + location.search) event.preventDefault();
	});
	document.addEventListener("visibilitychange", () => { if (!document.hidden) lookAgain(); });

	// Changes. While the page is seen, the server says when to look, and the status
	// and the prompt ask for what there is to see. Otherwise they then ask now and
	// then only, for what is "a minute ago". A stream that ended or fell silent is
	// opened again.

	let stream, opened = 0, heard = 0;
	const answered = { status: Date.now(), prompt: Date.now() };

	const upToDate = (id) => since(heard) < 30000 && since(answered[id]) < 120000;

	function listen() {
		const source = document.querySelector("[data-changes]")?.dataset.changes;
		if (!source || document.hidden) return hangUp();
		if (stream?.readyState < EventSource.CLOSED && since(Math.max(opened, heard)) < 60000) return;
		hangUp();
		opened = Date.now();
		stream = new EventSource(source);
		stream.addEventListener("alive", () => { heard = Date.now(); });
		stream.addEventListener("changed", () => {
			heard = Date.now();
			answered.status = answered.prompt = 0; // until the answers are here
			if (!document.querySelector("form[aria-busy]")) lookAgain(); // it may be that form's doing
		});
	}

	function hangUp() {
		stream?.close();
		stream = undefined;
	}

	document.addEventListener("visibilitychange", listen);
	setInterval(listen, 30000);

	// While Garmin is asked, the status or the prompt knows how that goes, and the
	// form tells it.

	const underWay = () => document.querySelector("form[aria-busy] [data-progress]");

	setInterval(() => { if (underWay()) refresh(byId("status") ? "status" : "prompt"); }, 2000);

	function tellProgress() {
		const asking = document.querySelector("#status .asking, #prompt .asking"), told = underWay();
		if (asking && told) told.textContent = asking.textContent;
	}

	function statusCame() {
		answered.status = Date.now();
		tellProgress();
		if (document.querySelector("#status .moved") && !prompts()) say("#status .moved"); // a prompt says more
	}

	// The prompt. Whoever puts it off is asked again on the next page, tomorrow, or
	// for something else.

	const prompts = () => byId("prompt-title")?.checkVisibility() ?? false;
	let asked = byId("prompt-title")?.textContent ?? "", putOff = 0;

	function promptCame() {
		answered.prompt = Date.now();
		tellProgress();
		const asks = byId("prompt-title")?.textContent ?? "";
		if (asks !== asked || since(putOff) > 12 * 3600000) delete document.body.dataset.later;
		if (asks !== asked && prompts()) announce(Array.from(all(document, "#prompt .words > *"), (told) => told.textContent).join(". "));
		if (asks !== asked) makeRoom();
		const withdrawn = asked && !asks; // once: what the dialog then shows may ask for more
		asked = asks;
		if (withdrawn && document.querySelector("dialog[open] form[hx-post]:not([aria-busy])")) refresh("relink"); // done elsewhere
	}

	// A prompt that comes up must not hide what is being typed into.
	function makeRoom() {
		const bar = document.querySelector("#prompt .bar")?.getBoundingClientRect();
		const field = document.activeElement.closest("#main input, #main textarea, #main select")?.getBoundingClientRect();
		document.body.toggleAttribute("data-high", Boolean(bar && field && field.bottom > bar.top && field.top < bar.bottom));
	}

	// It leads to a dialog above the page, unless the reader has closed that before
	// the answer to its form came.
	function sheetCame(source) {
		const sheet = byId("sheet");
		if (source.matches("#prompt a")) sheet.showModal();
		lookAgain();
		if (!sheet.open) return byId("relink").replaceChildren();
		say("#relink .notice, #relink .problem:not([autofocus])");
		(document.querySelector("#relink [autofocus]") ?? byId("relink")).focus();
	}

	let place; // where in the page the reader was last

	const goBack = () => (place?.isConnected ? place : byId("main")).focus({ preventScroll: true });

	document.addEventListener("focusin", ({ target }) => { if (target.closest("#main")) place = target; });
	document.addEventListener("click", ({ target }) => {
		if (!target.closest("[data-later]")) return;
		putOff = Date.now();
		document.body.dataset.later = "";
		goBack();
	});
	document.addEventListener("close", () => {
		byId("relink").replaceChildren(); // a password may stand there
		lost(false);
		if (document.activeElement === document.body) goBack(); // what it was opened by has gone
	}, true);

	function enhance() {
		showLocalTimes();
		for (const scripted of all(document, "[data-reveals][hidden], [data-scripted][hidden]")) scripted.hidden = false;
		tick();
		listen();
	}

	enhance();
	setInterval(tick, 1000);
})();
