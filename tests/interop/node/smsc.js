// A carrier's SMSC as the npm package smpp makes one.
'use strict';

const smpp = require('smpp');
const {follow, run, say} = require('./control');

// What it does with a submit_sm. `statuses`: the command_status of the next ones; `hold`: answer nothing before
// "release"; `receipt`: "after" or "before" its response, or "none"; `ids`: how it writes a message_id, in the response
// and in the receipt: "dec", "hex" or "hex-dec"; `carry`: what tells the receipt, "text" or "tlvs", or both where empty.
const behaviour = {statuses: [], hold: false, receipt: 'after', ids: 'dec', carry: ''};
const bound = [];
const held = [];
let serial = 0x7fffff00;

function receiver() {
	return bound.find((session) => session.mode !== 'bind_transmitter');
}

function receipt(submit, id) {
	const message_id = behaviour.ids === 'hex' ? id.toString(16).toUpperCase() : String(id);
	const fields = {
		source_addr_ton: submit.dest_addr_ton, source_addr_npi: submit.dest_addr_npi, source_addr: submit.destination_addr,
		dest_addr_ton: submit.source_addr_ton, dest_addr_npi: submit.source_addr_npi, destination_addr: submit.source_addr,
		esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
		data_coding: 0,
	};
	if (behaviour.carry !== 'tlvs') {
		fields.short_message = 'id:' + message_id + ' sub:001 dlvrd:001 submit date:2511220900 done date:2511220901 ' +
			'stat:DELIVRD err:000 text:';
	}
	if (behaviour.carry !== 'text') {
		fields.receipted_message_id = message_id;
		fields.message_state = smpp.MESSAGE_STATE.DELIVERED;
	}
	receiver().deliver_sm(fields, (pdu) => say({event: 'receipt_answered', message_id, pdu}));
}

function onSubmit(session, pdu) {
	if (behaviour.hold) {
		held.push([session, pdu]);
		return;
	}
	const command_status = behaviour.statuses.shift() || 0;
	if (command_status) {
		session.send(pdu.response({command_status}));
		return;
	}
	const id = ++serial;
	const asked = pdu.registered_delivery & 3;
	if (asked && behaviour.receipt === 'before') {
		receipt(pdu, id);
	}
	session.send(pdu.response({message_id: behaviour.ids === 'dec' ? String(id) : id.toString(16).toUpperCase()}));
	if (asked && behaviour.receipt === 'after') {
		receipt(pdu, id);
	}
}

function onBind(session, pdu) {
	if (pdu.system_id !== 'gateway' || pdu.password !== 'secret') {
		session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}), () => session.close());
		return;
	}
	session.mode = pdu.command;
	bound.push(session);
	session.send(pdu.response({system_id: 'node', sc_interface_version: 0x34}));
}

const server = smpp.createServer((session) => {
	follow(session);
	for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
		session.on(command, (pdu) => onBind(session, pdu));
	}
	session.on('submit_sm', (pdu) => onSubmit(session, pdu));
	session.on('data_sm', (pdu) => onSubmit(session, pdu));
	session.on('enquire_link', (pdu) => session.send(pdu.response()));
	session.on('unbind', (pdu) => session.send(pdu.response(), () => session.close()));
	session.on('close', () => {
		if (bound.includes(session)) {
			bound.splice(bound.indexOf(session), 1);
		}
	});
});

run({
	behave({changes}, answer) {
		Object.assign(behaviour, changes);
		answer({});
	},
	release(_, answer) {
		behaviour.hold = false;
		held.splice(0).forEach(([session, pdu]) => onSubmit(session, pdu));
		answer({});
	},
	listen(_, answer) {
		server.listen(0, '127.0.0.1', () => answer({port: server.address().port}));
	},
});
