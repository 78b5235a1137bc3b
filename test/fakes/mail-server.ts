/** A mail server on a real socket that speaks as much of RFC 5321 as a client of the hub needs, and keeps what it takes. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface Taken {
  to: string
  text: string
}

/** `answers` replace the reply to RCPT one after the other. */
export async function mailServer(t: TestContext, answers: string[] = []) {
  const taken: Taken[] = []
  const commands: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let buffer = ''
    let to = ''
    let isData = false
    const say = (line: string) => socket.write(`${line}\r\n`)
    say('220 mail.test ready')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      buffer += chunk.toString()
      for (;;) {
        const end = buffer.indexOf(isData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const line = buffer.slice(0, end)
        buffer = buffer.slice(end + (isData ? 5 : 2))
        if (isData) {
          isData = false
          taken.push({ to, text: line })
          say('250 taken')
          continue
        }
        commands.push(line)
        const verb = line.slice(0, 4).toUpperCase()
        if (verb === 'EHLO') say('250-mail.test\r\n250 AUTH PLAIN LOGIN')
        else if (verb === 'AUTH') say('235 welcome')
        else if (verb === 'RCPT') {
          to = /<(.*)>/.exec(line)?.[1] ?? ''
          say(answers.shift() ?? '250 known')
        } else if (verb === 'DATA') {
          isData = true
          say('354 go on')
        } else if (verb === 'STAR') say('502 no STARTTLS here')
        else if (verb === 'QUIT') {
          say('221 bye')
          socket.end()
        } else say('250 fine')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { taken, commands, port: (server.address() as AddressInfo).port }
}
