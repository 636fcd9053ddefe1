// SPDX-License-Identifier: GPL-2.0-or-later
// Chooses what the picture shows of the channels: nodes, edges, and what is folded into a number.
//
// Nodes of the same sort with the same neighbours are folded into one, until somebody opens it. Of
// the channels that no process has open, only those with something wrong are drawn.
const most = {
	alike: {process: 4, channel: 6}, // as many are folded into one
	nodes: 260,                      // that are drawn, unless all are asked for
	component: 400,                  // nodes; in a larger one, channels are folded more coarsely
	idle: 24,                        // channels without processes that are drawn
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

// Makes a node of each group, or of each of its members if there are few.
function foldedNodes(groups, isChannel) {
	const least = most.alike[isChannel ? 'channel' : 'process'];
	const nodes = new Map(); // of each member
	for (const [key, members] of groups) {
		const parts = members.length < least || opened.has(key) || state.showsAll ? members.map(one => [one]) : [members];
		for (const part of parts) {
			const node = {isChannel, members: part, key, edges: [], height: isChannel ? 46 : 34};
			part.forEach(member => nodes.set(member, node));
		}
	}
	return nodes;
}

function troubleKey(channel) {
	return channel.troubles.map(([word]) => word).join('+');
}

function makeNodes(shown) {
	const isShownChannel = new Set(shown);
	const uses = new Map();
	for (const channel of shown)
		for (const use of channel.uses)
			uses.set(use.process, []);
	for (const [process, list] of uses)
		list.push(...process.uses.filter(use => isShownChannel.has(use.channel)));
	const processNodes = foldedNodes(groupBy(uses.keys(), process => 'p ' + process.user + ' ' + process.command + '\n' +
		uses.get(process).map(use => use.channel.index + use.access).join(' ')), false);
	const number = new Map([...new Set(processNodes.values())].map((node, i) => [node, i]));
	const isCoarse = !state.showsAll && shown.length + number.size > most.component;
	const neighbours = channel => [...new Set(channel.uses.map(use => number.get(processNodes.get(use.process)) +
		(isCoarse ? '' : use.access)))];
	const channelNodes = foldedNodes(groupBy(shown, channel => 'c ' + channel.kind + ' ' + troubleKey(channel) + ' ' +
		(isCoarse ? neighbours(channel)[0] : neighbours(channel).join(' '))), true);
	return {processNodes, channelNodes};
}

function makeEdges(channels, {processNodes, channelNodes}) {
	const edges = new Map();
	for (const channel of channels)
		for (const use of channel.uses) {
			const ends = {process: processNodes.get(use.process), channel: channelNodes.get(channel)};
			let between = edges.get(ends.process);
			if (!between)
				edges.set(ends.process, between = new Map());
			let edge = between.get(ends.channel);
			if (!edge) {
				edge = {...ends, isRead: false, isWritten: false, isMapped: true};
				between.set(ends.channel, edge);
				ends.process.edges.push(edge);
				ends.channel.edges.push(edge);
			}
			edge.isRead = edge.isRead || use.access.includes('r');
			edge.isWritten = edge.isWritten || use.access.includes('w');
			edge.isMapped = edge.isMapped && use.access.includes('m');
		}
	return [...edges.values()].flatMap(between => [...between.values()]);
}

// Returns the sets of nodes that are connected.
function findComponents(nodes) {
	const components = [], seen = new Set();
	for (const first of nodes) {
		if (seen.has(first))
			continue;
		seen.add(first);
		const found = [first];
		for (const node of found)
			for (const edge of node.edges) {
				const far = other(edge, node);
				if (!seen.has(far)) {
					seen.add(far);
					found.push(far);
				}
			}
		components.push({nodes: found, edges: [...new Set(found.flatMap(node => node.edges))]});
	}
	return components;
}

function urgency(component) {
	let sum = 0;
	for (const node of component.nodes)
		if (node.isChannel)
			for (const channel of node.members)
				sum += channel.isLeaked || channel.isFull ? 1000 : channel.nWaiting ? 100 : 0;
	return sum + component.nodes.length;
}

// Returns the components to draw, the idle channels to draw, and all channels that are left out.
function chooseGraph(shown) {
	const used = shown.filter(channel => channel.uses.length), unused = shown.filter(channel => !channel.uses.length);
	const nodes = makeNodes(used);
	makeEdges(used, nodes);
	const all = findComponents(new Set([...nodes.processNodes.values(), ...nodes.channelNodes.values()]));
	all.sort((a, b) => urgency(b) - urgency(a));
	const components = [], left = [];
	let n = 0;
	for (const component of all) {
		if (!state.showsAll && n && n + component.nodes.length > most.nodes) {
			left.push(...component.nodes.filter(node => node.isChannel).flatMap(node => node.members));
			continue;
		}
		n += component.nodes.length;
		components.push(component);
	}
	const worst = [...unused].sort((a, b) => weight(b) - weight(a));
	const nIdle = state.showsAll ? worst.length : Math.min(most.idle, worst.filter(channel => weight(channel)).length);
	const idle = worst.slice(0, nIdle).map(channel => ({isChannel: true, members: [channel], edges: [], height: 46}));
	return {components, idle, left, unused: worst.slice(nIdle)};
}

function weight(channel) {
	return (channel.isLeaked ? 4 : 0) + (channel.isFull ? 2 : 0) + (channel.nWaiting ? 1 : 0);
}
