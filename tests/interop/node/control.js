// A node-smpp peer under remote control: commands come as JSON lines on stdin, answers and events go as JSON lines to
// stdout. When stdin ends, so does the process.
'use strict';

const readline = require('readline');

// Octets are hex in JSON.
function plain(key, value) {
	return value && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value;
}

function say(line) {
	process.stdout.write(JSON.stringify(line, plain) + '\n');
}

// {"hex": "..."} stands for octets anywhere in a command.
function octets(value) {
	if (Array.isArray(value)) {
		return value.map(octets);
	}
	if (value && typeof value === 'object') {
		if (typeof value.hex === 'string') {
			return Buffer.from(value.hex, 'hex');
		}
		return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, octets(inner)]));
	}
	return value;
}

const sessions = new Map();
let last = 0;

// Give a session a number, and tell what arrives on it.
function follow(session) {
	const number = ++last;
	sessions.set(number, session);
	session.on('pdu', (pdu) => {
		if (!pdu.isResponse()) {
			say({event: pdu.command, session: number, pdu});
		}
	});
	session.on('close', () => {
		sessions.delete(number);
		say({event: 'closed', session: number});
	});
	session.on('error', (error) => say({event: 'error', session: number, error: String(error)}));
	return number;
}

// `commands` are functions (arguments, answer); these three every peer has.
function run(commands) {
	const all = {
		// Send a request with node-smpp's own method of that name, and tell the response.
		request({session, command, fields}, answer) {
			if (!sessions.get(session)[command](octets(fields || {}), (pdu) => answer({pdu}))) {
				answer({error: 'the socket is not writable'});
			}
		},
		// Send a PDU that has no response.
		notify({session, command, fields}, answer) {
			sessions.get(session)[command](octets(fields || {}));
			answer({});
		},
		destroy({session}, answer) {
			sessions.get(session).destroy();
			answer({});
		},
		...commands,
	};
	readline.createInterface({input: process.stdin}).on('line', (line) => {
		const {call, number, ...args} = JSON.parse(line);
		all[call](args, (result) => say({answer: number, ...result}));
	}).on('close', () => process.exit(0));
}

module.exports = {follow, run, say, sessions};
