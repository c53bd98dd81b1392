// An ESME as the npm package smpp makes one.
'use strict';

const smpp = require('smpp');
const {follow, run, say, sessions} = require('./control');

smpp.addTLV('vendor_parameter', {id: 0x1400, type: smpp.types.tlv.buffer});

let statuses = [];

function take(session) {
	session.on('deliver_sm', (pdu) => session.send(pdu.response({command_status: statuses.shift() || 0})));
	session.on('data_sm', (pdu) => session.send(pdu.response({command_status: statuses.shift() || 0})));
	session.on('enquire_link', (pdu) => session.send(pdu.response()));
	session.on('unbind', (pdu) => session.send(pdu.response(), () => session.close()));
	return follow(session);
}

// The text as this library encodes it, in parts with a user data header where it is too long for one.
function parts(text, reference) {
	const encoding = smpp.encodings.detect(text);
	const encode = smpp.encodings[encoding].encode;
	const [whole, part] = encoding === 'ASCII' ? [160, 153] : [140, 134];
	if (encode(text).length <= whole) {
		return [text];
	}
	const chunks = [''];
	for (const character of text) {
		if (encode(chunks[chunks.length - 1] + character).length > part) {
			chunks.push('');
		}
		chunks[chunks.length - 1] += character;
	}
	return chunks.map((message, at) => ({udh: Buffer.from([5, 0, 3, reference, chunks.length, at + 1]), message}));
}

run({
	connect({port, options}, answer) {
		const session = smpp.connect({host: '127.0.0.1', port, ...options});
		const number = take(session);
		session.on('connect', () => answer({session: number}));
	},
	// What the next deliveries are answered with.
	answers(args, answer) {
		statuses = args.statuses;
		answer({});
	},
	pause({session}, answer) {
		sessions.get(session).pause();
		answer({});
	},
	resume({session}, answer) {
		sessions.get(session).resume();
		answer({});
	},
	// Submit texts, `window` of their parts at a time; tell destination and response of each part.
	submit({session, source, texts, window}, answer) {
		const queue = texts.flatMap(({destination, text}, at) => parts(text, at & 0xff).map(
			(short_message) => ({destination, short_message})
		));
		const submitted = [];
		const total = queue.length;
		const next = () => {
			const part = queue.shift();
			if (!part) {
				return;
			}
			sessions.get(session).submit_sm({
				source_addr_ton: 1, source_addr_npi: 1, source_addr: source,
				dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: part.destination,
				registered_delivery: 1, short_message: part.short_message,
			}, ({command_status, message_id}) => {
				submitted.push({destination: part.destination, command_status, message_id});
				if (submitted.length === total) {
					answer({submitted});
				}
				next();
			});
		};
		for (let slot = 0; slot < window; slot++) {
			next();
		}
	},
	// Wait to be called with an outbind, then bind as its receiver on the same connection.
	listen({system_id, password}, answer) {
		const server = smpp.createServer((session) => {
			const number = take(session);
			session.on('outbind', () => session.bind_receiver(
				{system_id, password, interface_version: 0x34}, (pdu) => say({event: 'bound', session: number, pdu})
			));
		});
		server.listen(0, '127.0.0.1', () => answer({port: server.address().port}));
	},
});
