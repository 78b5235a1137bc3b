import { execFile } from 'node:child_process'

export interface Supervisor {
  ready(): void
  stopping(): void
  /** Tells systemd that the process is alive; called by a timer at less than half of `WatchdogSec`. */
  alive(): void
}

/**
 * Tells systemd about the hub's state. Node has no Unix datagram sockets, so `systemd-notify` does the sending; outside
 * systemd (`notifySocket` undefined) nothing happens.
 */
export function createSupervisor(notifySocket: string | undefined): Supervisor {
  const tell = (...args: string[]) => {
    if (notifySocket === undefined) return
    // A failure here shows as a start timeout in systemd's own journal, where it belongs.
    execFile(
      'systemd-notify',
      args,
      { env: { NOTIFY_SOCKET: notifySocket, PATH: '/usr/bin:/bin' } },
      () => {},
    )
  }
  return {
    ready: () => tell('--ready', '--status=Running'),
    // Not `--stopping`, which systemd before version 253 does not know.
    stopping: () => tell('STOPPING=1'),
    alive: () => tell('WATCHDOG=1'),
  }
}
