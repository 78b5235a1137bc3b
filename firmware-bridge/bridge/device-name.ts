const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/

/** How a device is named in samples: a Bluetooth address as twelve hex digits, another name in lower case; null when unusable. */
export function deviceName(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 64) return null
  const hex = text.replace(/[:-]/g, '').toLowerCase()
  if (/^[0-9a-f]{12}$/.test(hex)) return hex
  const lower = text.toLowerCase()
  return NAME.test(lower) ? lower : null
}
