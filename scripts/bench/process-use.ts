import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process and those it started hold of the machine. */
export interface ProcessUse {
  /** Processes it started, theirs included. */
  children: number
  sockets: number
  /** Open files, sockets included. */
  files: number
  threads: number
  /** Of the process alone. */
  residentMb: number
}

const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096
const MB = 1024 ** 2
const MODELS_ENTRY = '/models/worker.'

/** Reads `/proc`; throws when the process is gone. */
export function useOf(pid: number): ProcessUse {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return ''
    }
  })
  const [, residentPages = 0] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number)
  return {
    children: familyOf(pid).length - 1,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    files: links.filter((link) => link !== '').length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    residentMb: (residentPages * PAGE_BYTES) / MB,
  }
}

/** Processor seconds of a process and of all it started, those that ended included. */
export function processorSeconds(pid: number): number {
  const ticks = familyOf(pid).map((one) => {
    const fields = statOf(one)
    // utime, stime, and those of children that ended.
    return fields === null ? 0 : [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0)
  })
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND
}

/** Processor seconds so far of the models' processes that this one started. */
export function modelSeconds(): number {
  const models = familyOf(process.pid).filter((pid) => commandOf(pid).includes(MODELS_ENTRY))
  const ns = models.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    ),
  )
  return ns.reduce((sum, one) => sum + one, 0) / 1e9
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(Number(name))
    if (fields) parents.set(Number(name), Number(fields[1]))
  }
  const family = [pid]
  for (const one of family) for (const [child, parent] of parents) if (parent === one) family.push(child)
  return family
}

/** The fields after the name of the program, which may hold blanks: state, parent, … */
function statOf(pid: number | string): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
