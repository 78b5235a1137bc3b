/** What systemd hears of the hub, by a stand-in for its socket. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { createSupervisor } from '../../daemon/kernel/sd-notify.ts'

/** Node has no Unix datagram sockets; Perl, which is part of Debian, has. */
const LISTENER = `
  use Socket; $| = 1; my ($s, $text);
  socket($s, PF_UNIX, SOCK_DGRAM, 0) && bind($s, pack_sockaddr_un($ARGV[0])) or die $!;
  print "bound\\n";
  while (defined recv($s, $text, 4096, 0)) { $text =~ s/\\n/ /g; print "$text\\n" }`

const missing = ['perl', 'systemd-notify'].find((name) => spawnSync(name, ['--version']).error)

test('systemd is told when the hub is ready, that it is alive, and that it stops', {
  skip: missing ? `${missing} is not installed` : false,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-notify-'))
  const socket = join(folder, 'notify')
  const listener = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => {
    listener.kill()
    rmSync(folder, { recursive: true })
  })
  const heard = createInterface({ input: listener.stdout })[Symbol.asyncIterator]()
  const next = async (wanted: RegExp) => {
    for (;;) {
      const { value, done } = await heard.next()
      assert.ok(!done, 'the stand-in ended')
      if (wanted.test(value)) return
    }
  }
  await next(/^bound$/)
  const supervisor = createSupervisor(socket)
  supervisor.ready()
  await next(/READY=1.*STATUS=Running|STATUS=Running.*READY=1/)
  supervisor.alive()
  await next(/WATCHDOG=1/)
  supervisor.stopping()
  await next(/STOPPING=1/)
})
