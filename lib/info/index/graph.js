// SPDX-License-Identifier: GPL-2.0-or-later
// Chooses what the picture shows of the channels: nodes, edges, and what is folded into a number.
//
// Nodes of the same sort with the same neighbours are folded into one, until somebody opens it. Of
// the channels that no process has open, only those with something wrong are drawn.

const most = {
	component: 80, // nodes; in a larger one, channels are folded more coarsely
	nodes: 300,    // that are drawn, unless all are asked for
	idle: 10,      // channels without processes that are drawn
};
const opened = new Set(); // keys of groups that somebody has opened

function groupBy(items, keyOf) {
	const groups = new Map();
	for (const item of items) {
		const key = keyOf(item);
		if (groups.has(key))
			groups.get(key).push(item);
		else
			groups.set(key, [item]);
	}
	return groups;
}

// Returns what is connected: lists of channels and of processes, with the uses between them.
function findParts(shown) {
	const isShown = new Set(shown), seen = new Set(), parts = [];
	const usesOf = one => one.uses.filter(use => isShown.has(use.channel));
	for (const first of shown) {
		if (seen.has(first))
			continue;
		const found = [first];
		seen.add(first);
		for (const one of found)
			for (const use of usesOf(one)) {
				const far = use.channel === one ? use.process : use.channel;
				if (!seen.has(far)) {
					seen.add(far);
					found.push(far);
				}
			}
		const channels = found.filter(one => one.id),
		      processes = found.filter(one => !one.id);
		parts.push({channels, processes, uses: channels.flatMap(usesOf)});
	}
	return parts;
}

// Makes a node of each group, or of each of its members if there are fewer than `least`.
function foldedNodes(groups, isChannel, least) {
	const nodes = new Map(); // of each member
	for (const [key, members] of groups) {
		const isWhole = members.length < least || opened.has(key) || state.showsAll;
		for (const some of isWhole ? members.map(one => [one]) : [members]) {
			const height = isChannel ? 46 : 34;
			const node = {isChannel, members: some, key, edges: [], height};
			some.forEach(member => nodes.set(member, node));
		}
	}
	return nodes;
}

function processKey(process, usesOf) {
	const uses = usesOf.get(process).map(use => use.channel.index + use.access);
	return ['p', process.user, process.command, ...uses].join(' ');
}

// Coarsely, it is enough to have the first neighbour in common.
function channelKey(channel, number, isCoarse) {
	const troubles = channel.troubles.map(([word]) => word).join('+');
	const near =
		channel.uses.map(use => number.get(use.process) + (isCoarse ? '' : use.access));
	return ['c', channel.kind, troubles, ...(isCoarse ? near.slice(0, 1) : new Set(near))].join(
		' ');
}

function makeNodes(part, isCoarse) {
	const usesOf = groupBy(part.uses, use => use.process);
	const processes =
		foldedNodes(groupBy(part.processes, one => processKey(one, usesOf)), false, 4);
	const number = new Map();
	for (const [process, node] of processes)
		number.set(process, node.members[0].pid);
	const groups = groupBy(part.channels, channel => channelKey(channel, number, isCoarse));
	return new Map([...processes, ...foldedNodes(groups, true, isCoarse ? 2 : 6)]);
}

function makeEdges(uses, nodes) {
	const between = new Map();
	for (const use of uses) {
		const process = nodes.get(use.process), channel = nodes.get(use.channel);
		if (!between.has(process))
			between.set(process, new Map());
		let edge = between.get(process).get(channel);
		if (!edge) {
			edge = {process, channel, isRead: false, isWritten: false, isMapped: true};
			between.get(process).set(channel, edge);
			process.edges.push(edge);
			channel.edges.push(edge);
		}
		edge.isRead = edge.isRead || use.access.includes('r');
		edge.isWritten = edge.isWritten || use.access.includes('w');
		edge.isMapped = edge.isMapped && use.access.includes('m');
	}
	return [...between.values()].flatMap(edges => [...edges.values()]);
}

function makeComponent(part) {
	let nodes = makeNodes(part, false);
	if (!state.showsAll && new Set(nodes.values()).size > most.component)
		nodes = makeNodes(part, true);
	const edges = makeEdges(part.uses, nodes);
	return {nodes: [...new Set(nodes.values())], edges, channels: part.channels};
}

function weight(channel) {
	return (channel.isLeaked ? 4 : 0) + (channel.isFull ? 2 : 0) + (channel.nWaiting ? 1 : 0);
}

// What is wrong comes first, and then what can be taken in at a glance.
function urgency(component) {
	const sum = component.channels.reduce((sum, channel) => sum + weight(channel), 0);
	const n = component.nodes.length;
	return sum * 1000 + (n > 40 ? -n : n);
}

// Returns the components and the idle channels to draw, and which channels of both are left out.
function chooseGraph(shown) {
	const all = findParts(shown.filter(channel => channel.uses.length)).map(makeComponent);
	const unused = shown.filter(channel => !channel.uses.length);
	const components = [], left = [];
	let n = 0;
	for (const component of all.sort((a, b) => urgency(b) - urgency(a))) {
		if (!state.showsAll && n + component.nodes.length > most.nodes) {
			left.push(...component.channels);
			continue;
		}
		n += component.nodes.length;
		components.push(component);
	}
	unused.sort((a, b) => weight(b) - weight(a) || compare(a.id, b.id));
	const nWrong = unused.filter(channel => weight(channel)).length;
	const nIdle = state.showsAll ? unused.length : Math.min(most.idle, nWrong);
	const idle = unused.slice(0, nIdle).map(channel => ({
		isChannel: true,
		members: [channel],
		edges: [],
		height: 46,
	}));
	return {components, idle, left, unused: unused.slice(nIdle)};
}
