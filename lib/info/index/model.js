// SPDX-License-Identifier: GPL-2.0-or-later
// What the page shows: channels and processes that know each other, made of the page's data. All
// that others have named is text here, and gets into the page as text alone.

// A browser may read a file only as far as its size was when it looked. If the page has grown
// beyond that since, its end is missing; but its size is right now, so it can be loaded again.
function readData() {
	if (document.getElementById('end'))
		return JSON.parse(document.getElementById('data').textContent);
	if (performance.getEntriesByType('navigation')[0].type !== 'reload')
		location.reload();
	return {isCut: true, made: 0, reader: 0, channels: [], processes: [], others: []};
}

const data = readData();

const sizeKeys = new Set(['bytes', 'capacity', 'size', 'msgsize', 'bytes-in', 'bytes-out']);
const timeKeys = new Set(['created', 'last-read', 'last-write', 'changed', 'since', 'idle-since']);

function sizeText(n) {
	if (n < 1024)
		return n + ' B';
	let unit = -1;
	for (; n >= 1023.95 && unit < 5; unit++)
		n /= 1024;
	return n.toFixed(1) + ' ' +
		'KMGTPE'[unit] + 'iB';
}

function twoDigits(n) { return String(n).padStart(2, '0'); }

function dayText(time) {
	return time.getFullYear() + '-' + twoDigits(time.getMonth() + 1) + '-' +
		twoDigits(time.getDate());
}

const today = dayText(new Date(data.made * 1000));

// In the reader's own time zone; the day only if it is another one.
function timeText(seconds) {
	const time = new Date(seconds * 1000);
	const clock =
		[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':');
	const day = dayText(time);
	return day === today ? clock : day + ' ' + clock;
}

function agoText(seconds) {
	let n = Math.max(0, Math.round(data.made - seconds));
	for (const [unit, size] of [['s', 60], ['min', 60], ['h', 48], ['days', Infinity]]) {
		if (n < size)
			return n + ' ' + unit + ' ago';
		n = Math.round(n / (unit === 'h' ? 24 : size));
	}
}

function countText(n, one, many) {
	return n.toLocaleString('en') + ' ' + (n === 1 ? one : many || one + 's');
}

function userText(id) { return data.users && data.users[id] || String(id); }

function groupText(id) { return data.groups && data.groups[id] || String(id); }

// Returns [what is shown, the exact value if that says more].
function valueText(key, value) {
	if (sizeKeys.has(key))
		return [sizeText(value), value + ' bytes'];
	if (timeKeys.has(key))
		return [
			timeText(value),
			new Date(value * 1000).toISOString() + ', ' + agoText(value)
		];
	if (key === 'owner')
		return [userText(value), 'user ' + value];
	if (key === 'group')
		return [groupText(value), 'group ' + value];
	return [
		typeof value === 'number' ? value.toLocaleString('en', {useGrouping: value > 99999})
					  : value,
		''
	];
}

function familyOf(kind) {
	return kind.startsWith('sockets') ? 'sockets' : kind.slice(kind.lastIndexOf('/') + 1);
}

function accessText(access) {
	return [['r', 'reads'], ['w', 'writes'], ['m', 'maps']]
		       .filter(([letter]) => access.includes(letter))
		       .map(([, word]) => word)
		       .join(', ') ||
		'has it open';
}

function makeChannel(row, index) {
	return {
		row,
		index,
		kind: row.kind,
		name: row.name,
		id: row.kind + '/' + row.name,
		family: familyOf(row.kind),
		uses: [],
		nOthers: 0,
		fill: row.fill,
		isLeaked: 'leaked' in row,
		isFull: row.fill >= 1,
		nWaiting: Math.max(row.waiting || 0, row.sleeping || 0),
	};
}

const channels = data.channels.map(makeChannel);

const processes = data.processes.map(process => {
	const made = {pid: process.pid, user: process.uid, command: process.command, uses: []};
	for (const [index, access] of process.uses) {
		const use = {channel: channels[index], process: made, access};
		made.uses.push(use);
		use.channel.uses.push(use);
	}
	return made;
});

for (const index of data.others)
	channels[index].nOthers++;

// The words for what is wrong with a channel, the worst first, each with its text.
function troubles(channel) {
	const found = [];
	if (channel.isLeaked)
		found.push(['leaked', 'leaked']);
	if (channel.isFull)
		found.push(['full', 'full']);
	if (channel.nWaiting)
		found.push(['waiting', channel.nWaiting + ' waiting']);
	return found;
}

for (const channel of channels) {
	channel.troubles = troubles(channel);
	channel.nProcesses = channel.uses.length + channel.nOthers;
	channel.words = [
		channel.id, userText(channel.row.owner), groupText(channel.row.group),
		channel.row.listen || '', ...channel.troubles.map(([word]) => word),
		...channel.uses.map(use => use.process.command + ' ' + use.process.pid)
	].join('\n').toLowerCase();
}

// What a person has chosen; the fragment of the address has it, too.
const state = {
	sort: 'state',
	isDescending: true,
	filter: '',
	kinds: new Set(),
	selected: '',
	showsAll: false
};

function readState() {
	const words = new URLSearchParams(location.hash.slice(1));
	const sort = words.get('sort') || '-state';
	state.isDescending = sort.startsWith('-');
	state.sort = sort.replace(/^-/, '');
	state.filter = words.get('filter') || '';
	state.kinds = new Set((words.get('kinds') || '').split(',').filter(Boolean));
	state.selected = words.get('select') || '';
	state.showsAll = words.get('show') === 'all';
}

function writeState() {
	const words = new URLSearchParams();
	if (state.sort !== 'state' || !state.isDescending)
		words.set('sort', (state.isDescending ? '-' : '') + state.sort);
	if (state.filter)
		words.set('filter', state.filter);
	if (state.kinds.size)
		words.set('kinds', [...state.kinds].join(','));
	if (state.selected)
		words.set('select', state.selected);
	if (state.showsAll)
		words.set('show', 'all');
	history.replaceState(
		null, '', '#' + String(words).replaceAll('%2F', '/').replaceAll('%2C', ','));
}

function isShown(channel, wanted) {
	return (!state.kinds.size || state.kinds.has(channel.kind)) &&
		wanted.every(word => channel.words.includes(word));
}

function shownChannels() {
	const wanted = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
	return channels.filter(channel => isShown(channel, wanted));
}

// Make an element, of HTML and of SVG. Children that are strings become text.
function make(name, attributes, ...children) {
	const element = document.createElement(name);
	for (const key in attributes)
		element.setAttribute(key, attributes[key]);
	element.append(...children);
	return element;
}

function draw(name, attributes, ...children) {
	const element = document.createElementNS('http://www.w3.org/2000/svg', name);
	for (const key in attributes)
		element.setAttribute(key, attributes[key]);
	element.append(...children);
	return element;
}
