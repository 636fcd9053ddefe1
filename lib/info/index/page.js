// SPDX-License-Identifier: GPL-2.0-or-later
// Puts the parts together: what is chosen in one shows in all, and in the address.
function title() {
	const host = data.host ? ' of ' + data.host : '';
	const made = new Date(data.made * 1000);
	document.title = 'ipcfs' + host;
	document.getElementById('host').textContent = host;
	document.getElementById('made').textContent = 'as user ' + userText(data.reader) +
		' sees them, ' + dayText(made) + ' ' + timeText(data.made) +
		'. Load the page again for what is true now.';
}

function totals() {
	const words = [['leaked', 'isLeaked'], ['full', 'isFull'], ['waiting', 'nWaiting']];
	const place = document.getElementById('totals');
	place.append(make('span', {}, make('b', {}, channels.length.toLocaleString('en')),
			     channels.length === 1 ? ' channel' : ' channels'),
		make('span', {}, make('b', {}, data.processes.length.toLocaleString('en')),
			data.processes.length === 1 ? ' process' : ' processes'));
	for (const [word, key] of words) {
		const n = channels.filter(channel => channel[key]).length;
		if (!n)
			continue;
		const button = make('button', {type: 'button', class: word, 'data-word': word},
			word, make('b', {}, n.toLocaleString('en')));
		button.addEventListener('click',
			() => change(() => state.filter = state.filter === word ? '' : word));
		place.append(button);
	}
}

function kindButtons() {
	const place = document.getElementById('kinds');
	for (const [kind, members] of groupBy(channels, channel => channel.kind)) {
		const button = make('button', {type: 'button', 'data-kind': kind},
			make('span', {class: 'dot k-' + members[0].family}), kind,
			make('b', {}, members.length.toLocaleString('en')));
		button.addEventListener('click', () => change(() => {
			if (!state.kinds.delete(kind))
				state.kinds.add(kind);
		}));
		place.append(button);
	}
}

// What the page does not show, and why.
function notes() {
	const found = [];
	if (data.isCut)
		found.push('This page was cut off. Load it again.');
	if (data.nOthers)
		found.push(countText(data.nOthers, 'process', 'processes') +
			' of other users use channels, and only root may see which.');
	if (data.nUnseen)
		found.push(countText(data.nUnseen, 'process', 'processes') +
			' could not be looked at (unseen), and may use any channel.');
	if (data.failed)
		found.push('The processes could not be looked for.');
	document.getElementById('notes').textContent = found.join(' ');
}

function closeButton() {
	const button = make('button', {type: 'button', class: 'close', 'aria-label': 'Close'}, '×');
	button.addEventListener('click', () => change(() => state.selected = ''));
	return button;
}

function linkList(items) {
	return make('ul', {}, ...items.map(([text, quiet, act]) => {
		const button =
			make('button', {type: 'button'}, text + ' ', make('span', {}, quiet));
		button.addEventListener('click', act);
		return make('li', {}, button);
	}));
}

function fillCard(...children) {
	const card = document.getElementById('card');
	card.replaceChildren(closeButton(), ...children);
	card.scrollTop = 0;
	card.hidden = false;
}

function showProcess(process) {
	fillCard(make('h2', {}, process.command),
		make('p', {class: 'under'},
			'process ' + process.pid + ' of user ' + userText(process.user)),
		make('h3', {}, countText(process.uses.length, 'channel')),
		linkList(process.uses.map(
			use => [use.channel.id, accessText(use.access),
				() => change(() => state.selected = use.channel.id)])));
}

function showChannel(channel) {
	const values = make('dl', {}), list = [...channel.uses];
	for (const [key, value] of Object.entries(channel.row)) {
		if (['kind', 'name', 'leaked', 'fill'].includes(key))
			continue;
		const [text, exact] = valueText(key, value);
		values.append(make('dt', {}, key), make('dd', exact ? {title: exact} : {}, text));
	}
	fillCard(make('h2', {}, channel.id), make('p', {class: 'under'}, ...badges(channel)),
		...(channel.isLeaked ? [make('p', {class: 'why'}, 'Leaked: ' + channel.row.leaked)]
				     : []),
		values,
		make('h3', {},
			countText(channel.nProcesses, 'process', 'processes') +
				(channel.nOthers ? ', ' + channel.nOthers + ' of other users'
						 : '')),
		linkList(
			list.map(use => [use.process.command + ' ' + use.process.pid,
					 accessText(use.access), () => showProcess(use.process)])));
}

function scrollWithin(element, place) {
	const outer = place.getBoundingClientRect(), inner = element.getBoundingClientRect();
	if (inner.top < outer.top + 36)
		place.scrollTop += inner.top - outer.top - 60;
	else if (inner.bottom > outer.bottom)
		place.scrollTop += inner.bottom - outer.bottom + 60;
}

function showSelected() {
	const channel = channels.find(channel => channel.id === state.selected);
	for (const old of document.querySelectorAll('tr[aria-selected], .node.selected')) {
		old.removeAttribute('aria-selected');
		old.classList.remove('selected');
	}
	document.getElementById('card').hidden = !channel;
	if (!channel)
		return;
	showChannel(channel);
	if (channel.element && channel.element.isConnected) {
		channel.element.setAttribute('aria-selected', true);
		scrollWithin(channel.element, document.getElementById('list'));
	}
	const node = nodeOf.get(channel);
	if (node) {
		node.group.classList.add('selected');
		scrollWithin(node.group, document.getElementById('picture'));
	}
}

// What table and picture show: each is made again only for something else, so that what has the
// focus keeps it.
const shownNow = {
	table: '',
	picture: ''
};

function isNew(part, ...what) {
	const now = JSON.stringify(what);
	const isOld = shownNow[part] === now;
	shownNow[part] = now;
	return !isOld;
}

function show() {
	const shown = shownChannels(), input = document.getElementById('filter');
	const choice = [state.filter, [...state.kinds]];
	if (input.value !== state.filter)
		input.value = state.filter;
	for (const button of document.querySelectorAll('#kinds button'))
		button.setAttribute('aria-pressed', state.kinds.has(button.dataset.kind));
	for (const button of document.querySelectorAll('#totals button'))
		button.setAttribute('aria-pressed', state.filter === button.dataset.word);
	if (isNew('table', choice, state.sort, state.isDescending))
		fillTable(shown);
	if (isNew('picture', choice, state.showsAll, [...opened], window.innerWidth))
		drawFolded(drawPicture(shown));
	showSelected();
}

function change(set) {
	set();
	writeState();
	show();
}

function listen() {
	const filter = document.getElementById('filter');
	filter.addEventListener('input', () => change(() => state.filter = filter.value));
	window.addEventListener('hashchange', () => {
		readState();
		show();
	});
	window.addEventListener('resize', show);
	document.addEventListener('keydown', event => {
		if (event.key === 'Escape' && !document.getElementById('card').hidden)
			change(() => state.selected = '');
	});
	listenToPicture();
	listenToTable();
}

title();
totals();
kindButtons();
notes();
makeHead();
readState();
listen();
show();
// How long it took to open, in milliseconds, for whoever measures it.
document.documentElement.dataset.ready = Math.round(performance.now());
requestAnimationFrame(() => setTimeout(() => {
	document.documentElement.dataset.painted = Math.round(performance.now());
	addRows();
}));
