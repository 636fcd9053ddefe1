// SPDX-License-Identifier: GPL-2.0-or-later
// Draws the picture, and shows what belongs together where the pointer or the focus is.
const margin = 18;
let nodeOf = new Map(); // of each channel and process that is drawn

// Characters of the fixed-width font; some take the place of two.
function columnsOf(character) { return character.codePointAt(0) >= 0x1100 ? 2 : 1; }

function cut(text, n) {
	const all = [...text];
	const width = list => list.reduce((sum, character) => sum + columnsOf(character), 0);
	if (width(all) <= n)
		return text;
	const start = [], end = [];
	while (width(end) < n * 0.35)
		end.unshift(all.pop());
	while (all.length && width(start) + width(end) + 2 <= n)
		start.push(all.shift());
	return start.join('') + '…' + end.join('');
}

function channelFacts(channel) {
	const row = channel.row, facts = [channel.kind];
	if (row.bytes)
		facts.push(sizeText(row.bytes));
	if (row.messages)
		facts.push(row.messages + ' msg');
	if (row.value !== undefined)
		facts.push('value ' + row.value);
	return facts.join(' · ');
}

function pillsOf(node) {
	const [first] = node.members, n = node.members.length;
	const pills = first.troubles.map(([word, text]) => [word, n > 1 ? word : text]);
	const nOthers = node.members.reduce((sum, channel) => sum + channel.nOthers, 0);
	if (nOthers)
		pills.push(['others', '+' + nOthers + ' hidden']);
	return pills;
}

function drawPills(node, group, width) {
	let x = width / 2 - 8;
	for (const [word, text] of pillsOf(node).reverse()) {
		const wide = 12 + text.length * 6.1;
		x -= wide;
		group.append(
			draw('rect',
				{class: 'pill ' + word, x, y: -31, width: wide, height: 16, rx: 8}),
			draw('text', {class: 'pilled ' + word, x: x + wide / 2, y: -19.5}, text));
		x -= 5;
	}
}

function drawChannel(node, group) {
	const [channel] = node.members, n = node.members.length;
	const left = -sizes.channel / 2, width = sizes.channel;
	if (n > 1)
		group.append(draw('rect', {
			class: 'behind',
			x: left + 6,
			y: -18,
			width: width - 12,
			height: 46,
			rx: 7
		}));
	group.append(draw('rect', {class: 'box', x: left, y: -23, width, height: 46, rx: 7}),
		draw('rect', {class: 'tick', x: left + 6, y: -15, width: 4, height: 30, rx: 2}),
		draw('text', {class: 'name', x: left + 19, y: -4},
			n > 1 ? n.toLocaleString('en') + ' channels' : cut(channel.name, 25)),
		draw('text', {class: 'small', x: left + 19, y: 12},
			n > 1 ? channel.kind + ' · open these' : cut(channelFacts(channel), 33)));
	if (n === 1 && channel.fill >= 0) {
		const room = width - 38, full = Math.min(1, channel.fill) * room;
		group.append(draw('rect',
			{class: 'track', x: left + 19, y: 16.5, width: room, height: 3, rx: 1.5}));
		if (full > 0)
			group.append(draw('rect', {
				class: 'fill',
				x: left + 19,
				y: 16.5,
				width: Math.max(3, full),
				height: 3,
				rx: 1.5
			}));
	}
	drawPills(node, group, width);
}

function drawProcess(node, group) {
	const [process] = node.members, n = node.members.length, width = sizes.process;
	if (n > 1)
		group.append(draw('rect', {
			class: 'behind',
			x: -width / 2 + 6,
			y: -12,
			width: width - 12,
			height: 34,
			rx: 17
		}));
	group.append(draw('rect', {class: 'box', x: -width / 2, y: -17, width, height: 34, rx: 17}),
		draw('text', {'text-anchor': 'middle', y: 4.5}, cut(process.command, 14) + ' ',
			draw('tspan', {class: 'small'}, n > 1 ? '× ' + n : String(process.pid))));
}

function describeNode(node) {
	const [first] = node.members, n = node.members.length;
	if (!node.isChannel)
		return n > 1 ? n + ' processes ' + first.command
			     : 'process ' + first.command + ' ' + first.pid + ' of user ' +
				userText(first.user);
	const what = n > 1 ? n + ' channels in ' + first.kind : 'channel ' + first.id;
	return [what, ...first.troubles.map(([, text]) => text)].join(', ');
}

function drawNode(node) {
	const group = draw('g', {
		class: [
			'node', node.isChannel ? 'channel k-' + node.members[0].family : 'process',
			...(node.isChannel ? node.members[0].troubles.map(([word]) => word) : [])
		].join(' '),
		transform: 'translate(' + node.x.toFixed(1) + ' ' + node.y.toFixed(1) + ')',
		tabindex: -1,
		role: 'button',
		'aria-label': describeNode(node),
	},
		draw('title', {}, describeNode(node)));
	(node.isChannel ? drawChannel : drawProcess)(node, group);
	node.group = group;
	group.node = node;
	node.members.forEach(member => nodeOf.set(member, node));
	return group;
}

function tip(x, y, way) {
	return draw('path', {class: 'tip', d: `M${x} ${y}l${- 8 * way} -4.2v8.4z`});
}

// A curve from the right side of a node to the left side of one further right. The heads are where
// bytes arrive: at the channel that is written, at the process that reads.
function drawEdge(edge, x, y) {
	const [left] = edge.route, right = edge.route[edge.route.length - 1];
	const rightward = left === edge.process ? edge.isWritten : edge.isRead;
	const leftward = left === edge.process ? edge.isRead : edge.isWritten;
	const points = edge.route
			       .flatMap(node => {
				       const half = layerWidth(node.layer) / 2, at = node.y + y;
				       if (node === left)
					       return [[
						       node.x + half + x + (leftward ? 6 : 0),
						       edge.startY + y
					       ]];
				       if (node === right)
					       return [[
						       node.x - half + x - (rightward ? 6 : 0),
						       edge.endY + y
					       ]];
				       return [[node.x - half + x, at], [node.x + half + x, at]];
			       })
			       .map(point => point.map(n => Number(n.toFixed(1))));
	let path = 'M' + points[0].join(' ');
	for (let i = 1; i < points.length; i++) {
		const [[fromX, fromY], [toX, toY]] = [points[i - 1], points[i]];
		const middle = ((fromX + toX) / 2).toFixed(1);
		path += i % 2 ? `C${middle} ${fromY} ${middle} ${toY} ${toX} ${toY}` : `H${toX}`;
	}
	const group =
		draw('g', {class: edge.isMapped ? 'edge maps' : 'edge'}, draw('path', {d: path}));
	const end = points[points.length - 1];
	if (rightward)
		group.append(tip(end[0] + 6, end[1], 1));
	if (leftward)
		group.append(tip(points[0][0] - 6, points[0][1], -1));
	edge.group = group;
	return group;
}

// Puts the components, the most urgent first, side by side where there is room: each into the
// shortest column, or below all of them if it is wide.
function arrange(components, width) {
	const unit = layerX(2) + sizes.process / 2, gap = 44, below = 34;
	const n = Math.floor((width - 2 * margin + gap) / (unit + gap));
	const columns = Array(Math.max(1, Math.min(n, components.length))).fill(0);
	let right = 0;
	for (const component of components) {
		const isWide = component.width > unit;
		const i = isWide ? 0 : columns.indexOf(Math.min(...columns));
		component.x = isWide ? -component.left : i * (unit + gap);
		component.y = isWide ? Math.max(...columns) : columns[i];
		columns.fill(
			component.y + component.height + below, i, isWide ? columns.length : i + 1);
		right = Math.max(right, component.x + component.width);
	}
	return {width: right, height: Math.max(...columns) - below};
}

// Idle channels stand in rows: above the others while only those are drawn with which something is
// wrong. Returns the size of all.
function arrangeIdle(idle, used, width) {
	const step = sizes.channel + 24, high = 68;
	const n = Math.max(1, Math.floor((width - 2 * margin + 24) / step));
	const height = Math.ceil(idle.length / n) * high, gap = idle.length && used.height ? 20 : 0;
	const top = state.showsAll ? used.height + gap : 0;
	idle.forEach((node, i) => {
		node.x = (i % n) * step + sizes.channel / 2;
		node.y = top + Math.floor(i / n) * high + 23;
	});
	return {
		width: Math.max(used.width, Math.min(n, idle.length) * step - 24),
		height: used.height + gap + height - (used.height ? 0 : high - 46),
		above: state.showsAll ? 0 : height + gap,
	};
}

function describePicture(graph) {
	const lines = [];
	for (const component of graph.components)
		for (const edge of component.edges) {
			const ways = [edge.isWritten && 'writes', edge.isRead && 'reads']
					     .filter(Boolean)
					     .join(' and ') ||
				'has open';
			lines.push(describeNode(edge.process) + ' ' + ways + ' ' +
				describeNode(edge.channel));
		}
	for (const node of graph.idle)
		lines.push(describeNode(node) + ', used by no process');
	return lines.length > 400 ? lines.slice(0, 400).join('. ') + '. And more: see the table.'
				  : lines.join('. ');
}

function drawPicture(shown) {
	const graph = chooseGraph(shown), place = document.getElementById('drawing');
	const room = Math.max(320, document.getElementById('picture').clientWidth);
	nodeOf = new Map();
	for (const component of graph.components)
		Object.assign(component, layOut(component.nodes, component.edges));
	const used =
		graph.components.length ? arrange(graph.components, room) : {width: 0, height: 0};
	const all = arrangeIdle(graph.idle, used, room);
	const width = all.width + 2 * margin, height = all.height + 2 * margin;
	if (!graph.components.length && !graph.idle.length) {
		place.replaceChildren();
		return graph;
	}
	const edges = draw('g', {}), nodes = draw('g', {});
	for (const component of graph.components) {
		edges.append(...component.edges.map(
			edge => drawEdge(edge, component.x, component.y + all.above)));
		for (const node of component.nodes) {
			node.x += component.x;
			node.y += component.y + all.above;
			nodes.append(drawNode(node));
		}
	}
	nodes.append(...graph.idle.map(drawNode));
	nodes.firstChild.setAttribute('tabindex', 0);
	place.replaceChildren(draw('svg', {
		width,
		height,
		viewBox: [-margin, -margin - 8, width, height + 8].join(' '),
		role: 'group',
		'aria-labelledby': 'picture-title picture-text',
	},
		draw('title', {id: 'picture-title'}, 'Processes and channels'),
		draw('desc', {id: 'picture-text'}, describePicture(graph)), edges, nodes));
	return graph;
}

// Says what is not drawn, by kind, and offers to draw it.
function drawFolded(graph) {
	const parts = [];
	const count = (list, what) => {
		if (!list.length)
			return;
		const kinds = [...groupBy(list, channel => channel.kind)].sort(
			(a, b) => b[1].length - a[1].length);
		parts.push(what + ' ' +
			kinds.map(([kind, members]) => countText(members.length, kind, kind))
				.join(', '));
	};
	count(graph.left, 'Not drawn:');
	count(graph.unused, 'Open in no process that you may see:');
	const button = make('button', {type: 'button'}, state.showsAll ? 'Show less' : 'Show all');
	button.addEventListener('click', () => change(() => state.showsAll = !state.showsAll));
	document.getElementById('folded').replaceChildren(
		...(parts.length ? [parts.join('. ')] : []),
		...(parts.length || state.showsAll ? [button] : []));
}

function pointAt(group) {
	const svg = document.querySelector('#drawing svg');
	for (const old of svg.querySelectorAll('.near'))
		old.classList.remove('near');
	svg.classList.toggle('pointed', Boolean(group));
	if (!group)
		return;
	group.classList.add('near');
	for (const edge of group.node.edges) {
		edge.group.classList.add('near');
		other(edge, group.node).group.classList.add('near');
	}
}

function selectNode(node) {
	if (node.members.length > 1)
		change(() => opened.add(node.key));
	else if (node.isChannel)
		change(() => state.selected = node.members[0].id);
	else
		showProcess(node.members[0]);
}

function moveFocus(group, step) {
	const all = [...document.querySelectorAll('#drawing .node')];
	const next = all[all.indexOf(group) + step];
	if (!next)
		return;
	group.setAttribute('tabindex', -1);
	next.setAttribute('tabindex', 0);
	next.focus();
	next.scrollIntoView({block: 'nearest', inline: 'nearest'});
}

function listenToPicture() {
	const place = document.getElementById('drawing');
	const steps = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1};
	const groupAt = event => event.target.closest('.node');
	for (const name of ['pointerover', 'focusin'])
		place.addEventListener(name, event => place.firstChild && pointAt(groupAt(event)));
	for (const name of ['pointerleave', 'focusout'])
		place.addEventListener(name, () => place.firstChild && pointAt(null));
	place.addEventListener('click', event => groupAt(event) && selectNode(groupAt(event).node));
	place.addEventListener('keydown', event => {
		const group = groupAt(event);
		if (!group || !(event.key in steps || event.key === 'Enter' || event.key === ' '))
			return;
		event.preventDefault();
		if (event.key in steps)
			moveFocus(group, steps[event.key]);
		else
			selectNode(group.node);
	});
}
