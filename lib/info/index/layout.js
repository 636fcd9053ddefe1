// SPDX-License-Identifier: GPL-2.0-or-later
// Places the nodes of one component: writers to the left of their channels, readers to the right.
//
// Processes have the even layers and channels the odd ones, so an arrow always crosses a gap.
// Layers follow the way of the bytes as far as that has no cycles; then each node moves to where
// its arrows are short, even if some point to the left: a request and its answer pass between the
// same two. In a layer, nodes are sorted to cross few arrows, and then moved as close to their
// neighbours as the others let them.

const sizes = {
	process: 150,
	channel: 212,
	gap: 64
};
const WRONG_WAY = 0.5; // what it costs if all arrows of a node point to the left, in layers

// An edge has a process, a channel, and the ways that bytes can go: isRead, isWritten.
function edgeFrom(edge) { return edge.isWritten && !edge.isRead ? edge.process : edge.channel; }

function other(edge, node) { return edge.process === node ? edge.channel : edge.process; }

// Visits depth first, without recursion, and returns the nodes in topological order but for cycles.
function topologicalOrder(nodes) {
	const order = [], mark = new Map();
	for (const first of nodes) {
		const stack = mark.has(first) ? [] : [[first, 0]];
		mark.set(first, true);
		while (stack.length) {
			const top = stack[stack.length - 1], [node, next] = top;
			if (next === node.edges.length) {
				order.push(node);
				stack.pop();
				continue;
			}
			top[1]++;
			const edge = node.edges[next], far = other(edge, node);
			if (edge.isRead !== edge.isWritten && edgeFrom(edge) === node &&
				!mark.has(far)) {
				mark.set(far, true);
				stack.push([far, 0]);
			}
		}
	}
	return order.reverse();
}

function assignLayers(nodes) {
	const sources = node => node.edges.filter(edge => edgeFrom(edge) !== node).length;
	const sorted =
		[...nodes].sort((a, b) => sources(a) - sources(b) || a.isChannel - b.isChannel);
	const order = topologicalOrder(sorted), place = new Map(order.map((node, i) => [node, i]));
	for (const node of order)
		node.layer = node.isChannel ? 1 : 0;
	for (const node of order)
		for (const edge of node.edges) {
			const far = other(edge, node);
			if (edge.isRead !== edge.isWritten && edgeFrom(edge) === node &&
				place.get(far) > place.get(node))
				far.layer = Math.max(far.layer, node.layer + 1);
		}
}

function layerCost(node, layer) {
	let far = 0, wrong = 0;
	for (const edge of node.edges) {
		const there = other(edge, node).layer;
		far += Math.abs(layer - there) - 1;
		if (edge.isRead !== edge.isWritten && (edgeFrom(edge) === node) === (layer > there))
			wrong++;
	}
	return (far + WRONG_WAY * wrong) / node.edges.length;
}

// Returns whether the node has moved.
function improveLayer(node) {
	const layers = new Set(node.edges.flatMap(
		edge => [other(edge, node).layer - 1, other(edge, node).layer + 1]));
	let best = layerCost(node, node.layer), moved = false;
	for (const layer of layers) {
		const cost = layerCost(node, layer);
		if (cost < best - 1e-9) {
			best = cost;
			node.layer = layer;
			moved = true;
		}
	}
	return moved;
}

function chooseLayers(nodes) {
	assignLayers(nodes);
	for (let round = 0; round < 8; round++)
		if (!nodes.filter(improveLayer).length)
			break;
	const least = nodes.reduce((least, node) => Math.min(least, node.layer), Infinity);
	for (const node of nodes)
		node.layer -= least - (least & 1);
}

// Fills the layers, with a thin bend wherever an edge passes one.
function makeLayers(nodes, edges) {
	const layers = [];
	const add = node => (layers[node.layer] = layers[node.layer] || []).push(node);
	for (const node of nodes) {
		node.near = [];
		add(node);
	}
	for (const edge of edges) {
		const [left, right] =
			[edge.process, edge.channel].sort((a, b) => a.layer - b.layer);
		edge.route = [left];
		for (let layer = left.layer + 1; layer < right.layer; layer++) {
			const bend = {layer, height: 8, near: [], isBend: true};
			edge.route.push(bend);
			add(bend);
		}
		edge.route.push(right);
		for (let i = 1; i < edge.route.length; i++) {
			edge.route[i].near.push(edge.route[i - 1]);
			edge.route[i - 1].near.push(edge.route[i]);
		}
	}
	return Array.from(layers, layer => layer || []);
}

function mean(node, layer, key) {
	const near = node.near.filter(far => far.layer === layer);
	return near.length ? near.reduce((sum, far) => sum + far[key], 0) / near.length : node[key];
}

function sortLayers(layers) {
	layers.forEach(layer => layer.forEach((node, i) => node.rank = i));
	for (let round = 0; round < 10; round++) {
		const step = round % 2 ? -1 : 1;
		const all = step > 0 ? layers : [...layers].reverse();
		for (const layer of all) {
			const want = new Map(
				layer.map(node => [node, mean(node, node.layer - step, 'rank')]));
			layer.sort((a, b) => want.get(a) - want.get(b));
			layer.forEach((node, i) => node.rank = i);
		}
	}
}

function distance(above, below) {
	return (above.height + below.height) / 2 + (above.isBend || below.isBend ? 6 : 16);
}

// Moves the nodes of a layer as near to where they want to be as their order and size allow: nodes
// that push each other become a block, which is where they want to be on average.
function settle(layer, wanted) {
	const offsets = [], blocks = [];
	layer.forEach((node, i) => {
		offsets[i] = i ? offsets[i - 1] + distance(layer[i - 1], node) : 0;
		let block = {sum: wanted[i] - offsets[i], n: 1};
		while (blocks.length &&
			blocks[blocks.length - 1].sum / blocks[blocks.length - 1].n >
				block.sum / block.n) {
			const above = blocks.pop();
			block = {sum: above.sum + block.sum, n: above.n + block.n};
		}
		blocks.push(block);
	});
	let i = 0;
	for (const block of blocks)
		for (const end = i + block.n; i < end; i++)
			layer[i].y = block.sum / block.n + offsets[i];
}

function layerX(layer) {
	const n = Math.floor(layer / 2);
	const pair = sizes.process + sizes.channel + 2 * sizes.gap;
	return n * pair +
		(layer % 2 ? sizes.process + sizes.gap + sizes.channel / 2 : sizes.process / 2);
}

function layerWidth(layer) { return layer % 2 ? sizes.channel : sizes.process; }

function placeNodes(layers) {
	for (const layer of layers)
		settle(layer, layer.map(() => 0));
	for (let round = 0; round < 8; round++) {
		const all = round % 2 ? [...layers].reverse() : layers;
		for (const layer of all)
			settle(layer, layer.map(node => {
				const near = node.near;
				return near.length
					? near.reduce((sum, far) => sum + far.y, 0) / near.length
					: node.y;
			}));
	}
	let top = Infinity, bottom = -Infinity;
	for (const node of layers.flat()) {
		top = Math.min(top, node.y - node.height / 2);
		bottom = Math.max(bottom, node.y + node.height / 2);
	}
	for (const node of layers.flat()) {
		node.y -= top;
		node.x = layerX(node.layer);
	}
	return bottom - top;
}

// Edges leave a node one below the other, in the order in which they arrive.
function spreadEnds(nodes) {
	for (const node of nodes)
		for (const side of [-1, 1]) {
			const ends = node.edges.filter(
				edge => (other(edge, node).layer - node.layer) * side > 0);
			const far = edge => edge.route[0] === node
				? edge.route[1]
				: edge.route[edge.route.length - 2];
			const step = Math.min(9, (node.height - 14) / Math.max(1, ends.length - 1));
			ends.sort((a, b) => far(a).y - far(b).y);
			ends.forEach((edge, i) => {
				const y = node.y + (i - (ends.length - 1) / 2) * step;
				if (edge.route[0] === node)
					edge.startY = y;
				else
					edge.endY = y;
			});
		}
}

// Places a component. Returns how far its nodes reach.
function layOut(nodes, edges) {
	chooseLayers(nodes);
	const layers = makeLayers(nodes, edges);
	sortLayers(layers);
	const height = placeNodes(layers);
	spreadEnds(nodes);
	const first = layers.findIndex(layer => layer.length), last = layers.length - 1;
	return {
		left: layerX(first) - layerWidth(first) / 2,
		width: layerX(last) + layerWidth(last) / 2,
		height,
	};
}
