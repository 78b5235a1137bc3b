/** Whether what lies in a folder is encrypted by the system before it reaches the disk (LUKS and other dm-crypt). */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Null where the system does not say: a network or memory file system, or none of Linux. */
export type DiskEncryption = boolean | null

/** `sysfs` is the system's view of its devices; `deviceOf` the number of the one a folder lies on. */
export function diskEncryption(
  folder: string,
  sysfs = '/sys/dev/block',
  deviceOf: (path: string) => number = (path) => statSync(path).dev,
): DiskEncryption {
  try {
    const dev = deviceOf(folder)
    // As Linux's gnu_dev_major and gnu_dev_minor for numbers below 2^32.
    const major = (dev >>> 8) & 0xfff
    const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00)
    return isEncrypted(join(sysfs, `${major}:${minor}`), 0)
  } catch {
    return null
  }
}

/** A volume may lie on an encrypted one (LVM on LUKS), so whatever it is made of counts as well. */
function isEncrypted(device: string, depth: number): boolean {
  const names = readdirSync(device)
  if (names.includes('dm') && readFileSync(join(device, 'dm/uuid'), 'utf8').startsWith('CRYPT-')) return true
  if (!names.includes('slaves') || depth >= 5) return false
  const below = readdirSync(join(device, 'slaves'))
  return below.length > 0 && below.every((name) => isEncrypted(join(device, 'slaves', name), depth + 1))
}
