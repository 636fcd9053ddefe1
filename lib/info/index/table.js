// SPDX-License-Identifier: GPL-2.0-or-later
// The table: a row for each channel that is shown, and only the columns that have something.
let nRowsMost = 200; // at first, so that the page opens soon

const number = {
	isNumber: true
};
const columns = [
	{key: 'state', title: 'State', value: channel => weight(channel) * 1e9 + channel.nWaiting},
	{key: 'kind', title: 'Kind'},
	{key: 'name', title: 'Name'},
	{key: 'owner', title: 'Owner', value: channel => userText(channel.row.owner)},
	{key: 'mode', title: 'Mode'},
	{key: 'bytes', title: 'Size', ...number},
	{key: 'messages', title: 'Msgs', ...number},
	{key: 'value', title: 'Value', ...number},
	{key: 'semaphores', title: 'Sems', ...number},
	{key: 'attached', title: 'Attached', ...number},
	{key: 'processes', title: 'Processes', ...number, value: channel => channel.nProcesses},
	{key: 'readers', title: 'Readers', ...number},
	{key: 'writers', title: 'Writers', ...number},
	{key: 'waiting', title: 'Waiting', ...number},
	{key: 'messages-in', title: 'Msgs in', ...number},
	{key: 'messages-out', title: 'Msgs out', ...number},
	{key: 'bytes-in', title: 'In', ...number},
	{key: 'bytes-out', title: 'Out', ...number},
	{key: 'waits', title: 'Waits', ...number},
	{key: 'dropped', title: 'Dropped', ...number},
	{key: 'last-write', title: 'Last write', ...number},
];
const always = new Set(['kind', 'name', 'owner', 'mode', 'bytes', 'processes']);

function cellValue(channel, column) {
	return column.value ? column.value(channel) : channel.row[column.key];
}

function isNeeded(column) {
	return always.has(column.key) || channels.some(channel => cellValue(channel, column));
}

const shownColumns = columns.filter(isNeeded);

function meter(channel) {
	const width = Math.max(2, Math.min(1, channel.fill) * 42);
	return make('span', {
		class: channel.isFull ? 'meter full' : 'meter',
		title: Math.round(100 * channel.fill) + ' % full'
	},
		channel.fill > 0 ? draw('svg', {width: 42, height: 5, 'aria-hidden': true},
					   draw('rect', {width, height: 5}))
				 : '');
}

function badges(channel) {
	return channel.troubles.map(([word, text]) => make('span', {class: 'badge ' + word}, text));
}

function makeCell(channel, column) {
	const value = cellValue(channel, column), cell = document.createElement('td');
	if (column.isNumber)
		cell.className = value === 0 ? 'number none' : 'number';
	else
		cell.className = column.key;
	if (column.key === 'state') {
		cell.append(...badges(channel));
	} else if (column.key === 'kind') {
		cell.append(make('span', {class: 'dot k-' + channel.family}), channel.kind);
	} else if (value !== undefined) {
		const [text, exact] =
			valueText(column.key, column.key === 'owner' ? channel.row.owner : value);
		cell.textContent = text;
		if (exact || column.key === 'name')
			cell.title = exact || channel.id;
	}
	if (column.key === 'bytes' && channel.fill !== undefined)
		cell.append(meter(channel));
	return cell;
}

function rowOf(channel) {
	if (!channel.element) {
		channel.element = make('tr', {tabindex: -1, 'data-id': channel.id},
			...shownColumns.map(column => makeCell(channel, column)));
		channel.element.channel = channel;
	}
	return channel.element;
}

function compare(a, b) {
	if (typeof a === 'number' && typeof b === 'number')
		return a - b;
	return a < b ? -1 : a > b ? 1 : 0;
}

// Whatever the direction: what has no value comes last, and equals are sorted by kind and name.
function sorted(list) {
	const column = columns.find(column => column.key === state.sort) || columns[0];
	const way = state.isDescending ? -1 : 1;
	return list.map(channel => [cellValue(channel, column), channel])
		.sort(([a, x], [b, y]) => {
			if ((a === undefined) !== (b === undefined))
				return a === undefined ? 1 : -1;
			return way * compare(a, b) || compare(x.kind, y.kind) ||
				compare(x.name, y.name);
		})
		.map(([, channel]) => channel);
}

function fillTable(shown) {
	const list = sorted(shown), rest = document.getElementById('rest'),
	      body = document.querySelector('tbody');
	body.replaceChildren(...list.slice(0, nRowsMost).map(rowOf));
	for (const head of document.querySelectorAll('th'))
		if (head.dataset.key === state.sort)
			head.setAttribute(
				'aria-sort', state.isDescending ? 'descending' : 'ascending');
		else
			head.removeAttribute('aria-sort');
	if (body.firstChild)
		body.firstChild.setAttribute('tabindex', 0);
	rest.textContent = list.length > nRowsMost
		? countText(list.length - nRowsMost, 'more row', 'more rows') + ' below'
		: list.length     ? ''
		: channels.length ? 'No channel matches.'
				  : 'There are no channels.';
}

function addRows() {
	nRowsMost += 800;
	fillTable(shownChannels());
}

// The first click on a column of numbers puts the largest on top.
function sortBy(column) {
	state.isDescending = state.sort === column.key
		? !state.isDescending
		: Boolean(column.isNumber || column.key === 'state');
	state.sort = column.key;
}

function makeHead() {
	const row = make('tr', {});
	for (const column of shownColumns) {
		const button = make('button', {type: 'button'}, column.title);
		button.addEventListener('click', () => change(() => sortBy(column)));
		row.append(make('th', {
			scope: 'col',
			'data-key': column.key,
			class: column.isNumber ? 'number' : ''
		},
			button));
	}
	document.querySelector('thead').replaceChildren(row);
}

function moveToRow(row, next) {
	if (!next)
		return;
	row.setAttribute('tabindex', -1);
	next.setAttribute('tabindex', 0);
	next.focus();
}

function listenToTable() {
	const body = document.querySelector('tbody'), list = document.getElementById('list');
	body.addEventListener('click', event => {
		const row = event.target.closest('tr');
		change(() => state.selected = row.channel.id);
	});
	body.addEventListener('keydown', event => {
		const row = event.target.closest('tr');
		if (event.key === 'ArrowDown')
			moveToRow(row, row.nextSibling);
		else if (event.key === 'ArrowUp')
			moveToRow(row, row.previousSibling);
		else if (event.key === 'Enter' || event.key === ' ')
			change(() => state.selected = row.channel.id);
		else
			return;
		event.preventDefault();
	});
	new IntersectionObserver(entries => {
		if (entries.some(entry => entry.isIntersecting) &&
			document.querySelector('tbody').childElementCount >= nRowsMost) {
			addRows();
		}
	}, {rootMargin: '600px'}).observe(document.getElementById('rest'));
	list.tabIndex = -1;
}
