/** Every sentence about devices of other firmware and about handing over, in English; fetched with the screens of devices. */
export const words = {
  'found.title': 'Heard nearby',
  'found.text': 'A gateway heard these. Nothing they measure is kept until you take them in.',
  'found.unnamed': 'Without a name',
  'found.line': '{kind} · heard by {via}',
  'found.heard': { one: 'heard {count} time, {age}', other: 'heard {count} times, last {age}' },
  'found.take': 'Take in',
  'found.ignore': 'Ignore',
  'found.ignoreTitle': 'Ignore {name}?',
  'found.ignoreText': 'A neighbour’s perhaps. It will not be shown again.',
  'found.name': 'What shall it be called?',
  'found.taken': '{name} is taken in',
  'kind.glucose': 'Glucose sensor',
  'kind.blood_pressure': 'Blood pressure monitor',
  'kind.scale': 'Scale',
  'kind.watch': 'Watch or chest strap',
  'kind.thermometer': 'Thermometer',
  'kind.room': 'Room sensor',
  'kind.other': 'Something else',
  'signal.strong': 'Strong signal ({dbm} dBm)',
  'signal.fair': 'Fair signal ({dbm} dBm)',
  'signal.weak': 'Weak signal ({dbm} dBm)',
  'signal.closer': 'Move it or the gateway closer.',

  'from.label': 'Since when',
  'from.hint': 'Left empty: from now on.',

  'firmware.title': 'What runs on it',
  'firmware.text': 'The hub then understands what it sends for other devices.',
  'firmware.label': 'Firmware',
  'firmware.none': 'Homefield’s own messages',
  'firmware.openmqttgateway': 'OpenMQTTGateway or Theengs',
  'firmware.esphome': 'ESPHome',
  'firmware.tasmota': 'Tasmota',
  'firmware.espruino': 'EspruinoHub',
  'firmware.own': 'Something else, set by hand',
  'hint.none': 'It may send under its own id only.',
  'hint.openmqttgateway':
    'In its web page set this hub’s name as MQTT server, TLS on, port as shown when the key was made, the device ID as user and the key as password. Leave the base topic at home/.',
  'hint.esphome':
    'In the YAML set mqtt: broker, port, username (the device ID), password (the key), and topic_prefix: esphome/NAME. Leave discovery on: sensors then appear here by themselves.',
  'hint.tasmota':
    'Under Configure MQTT set host, port, user (the device ID) and password (the key). Leave the full topic at %prefix%/%topic%/.',
  'hint.espruino':
    'In config.json set mqtt_host, username (the device ID) and password (the key). Leave mqtt_prefix at /ble.',
  'hint.own': 'It may send under these topics: {topics}',
} as const
