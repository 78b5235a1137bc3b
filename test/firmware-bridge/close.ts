import assert from 'node:assert/strict'

/** Holds what an expected file says, numbers within its tolerance; the answer may know more. */
export function assertHolds(actual: unknown, wanted: unknown, tolerance: number, where: string): void {
  if (typeof wanted === 'number' && typeof actual === 'number') {
    assert.ok(Math.abs(actual - wanted) <= tolerance, `${where}: ${actual} is not ${wanted}`)
  } else if (Array.isArray(wanted)) {
    assert.ok(Array.isArray(actual), `${where}: ${JSON.stringify(actual)} is no list`)
    assert.equal(actual.length, wanted.length, `${where}: ${JSON.stringify(actual)}`)
    for (const [index, value] of wanted.entries())
      assertHolds(actual[index], value, tolerance, `${where}[${index}]`)
  } else if (typeof wanted === 'object' && wanted !== null) {
    assert.ok(typeof actual === 'object' && actual !== null, `${where}: ${JSON.stringify(actual)}`)
    for (const [key, value] of Object.entries(wanted)) {
      assertHolds((actual as Record<string, unknown>)[key], value, tolerance, `${where}.${key}`)
    }
  } else assert.deepEqual(actual, wanted, where)
}
