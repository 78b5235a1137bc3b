/** Keeps passwords as argon2id, and tells a wrong one from an unknown user to nobody, not even by its time. */
import { randomBytes } from 'node:crypto'
import { hash as argonHash, verify as argonVerify } from '@node-rs/argon2'
import { HubError } from '../../kernel/errors.ts'

export interface Passwords {
  /** Throws VALIDATION_ERROR when everybody's first guess would be right. */
  check(password: string, name: string): void
  hash(password: string): Promise<string>
  /** False for a null hash (nobody of that name), after the same work. */
  verify(hash: string | null, password: string): Promise<boolean>
  /** Whether the hash was made with other parameters than today's. */
  isOutdated(hash: string): boolean
}

/** The two functions of argon2, so that tests can count calls. */
export interface Argon {
  hash(password: string, options: typeof PARAMETERS): Promise<string>
  verify(hash: string, password: string): Promise<boolean>
}

/** OWASP's and ASVS' floor for argon2id: 19 MiB, 2 passes, 1 lane. */
export const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
export const PASSWORD_MIN = 12
export const PASSWORD_MAX = 200

/** Each check takes 19 MiB and about 90 ms; more at once than this are turned away instead of queued. */
const AT_ONCE = 8
const RETRY_AFTER_S = 1
const FEWEST_CHARACTERS = 5

/** Long passwords that lists of leaked ones are full of, letters and digits only. */
const COMMON = new Set(
  `password1234 password12345 password123456 passwordpassword passw0rd1234 123456789012 1234567890123 12345678901234
123456789123 123123123123 012345678901 111222333444 qwertyuiop12 qwertyuiop123 qwertyuiopasdf qwertyuiopasdfgh qwerty123456
1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv qazwsxedcrfv q1w2e3r4t5y6 zaq12wsxcde3 asdfghjkl123 asdfghjklqwe
abcdefghijkl abcdefghijklm abcd12345678 abc123456789 a12345678910 administrator adminadmin12 admin1234567 administrator1
letmeinletmein letmein12345 iloveyou1234 iloveyouiloveyou welcome12345 welcomewelcome changeme1234 changemenow1 changemechangeme
homefield123 homefieldhomefield homefieldhub raspberrypi1 raspberrypi123 raspberrypi4 raspberryraspberry trustno1trustno1
superman1234 batman123456 dragon123456 football1234 baseball1234 princess1234 sunshine1234 monkey123456 starwars1234
correcthorsebatterystaple correcthorse secretsecret verysecret12 mypassword12 mypassword123 thisismypassword`.split(
    /\s+/,
  ),
)

export function createPasswords(argon: Argon = { hash: argonHash, verify: argonVerify }): Passwords {
  const nobody = decoy()
  let running = 0

  async function oneOfFew<Result>(work: () => Promise<Result>): Promise<Result> {
    if (running >= AT_ONCE) {
      throw new HubError('OVERLOADED', 'Too many people are signing in at once. Try again in a moment.', {
        retryAfterS: RETRY_AFTER_S,
      })
    }
    running += 1
    try {
      return await work()
    } finally {
      running -= 1
    }
  }

  return {
    check: checkPassword,
    hash: (password) => oneOfFew(() => argon.hash(password, PARAMETERS)),
    verify: (hash, password) =>
      oneOfFew(async () => (await argon.verify(hash ?? nobody, password)) && hash !== null),
    isOutdated: (hash) => !hash.startsWith(`$argon2id$v=19$${parameterText()}$`),
  }
}

function checkPassword(password: string, name: string): void {
  if (password.length < PASSWORD_MIN) refuse(`is shorter than ${PASSWORD_MIN} characters`)
  if (password.length > PASSWORD_MAX) refuse(`is longer than ${PASSWORD_MAX} characters`)
  const plain = password.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  if (COMMON.has(plain)) refuse('is one of the first that anybody would try')
  if (new Set(password).size < FEWEST_CHARACTERS) refuse('repeats too few characters')
  const own = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  const rest = own.length < 3 ? plain : plain.replaceAll(own, '').replace(/\d/g, '')
  if (rest === '') refuse('is only the name and digits')
}

function refuse(why: string): never {
  throw new HubError('VALIDATION_ERROR', `This password ${why}. Four unrelated words make a good one.`, {
    details: [{ path: 'password', message: why }],
  })
}

function parameterText(): string {
  return `m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}`
}

/** A hash of nothing anybody knows, with today's parameters. */
function decoy(): string {
  const random = (bytes: number) => randomBytes(bytes).toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$${parameterText()}$${random(16)}$${random(32)}`
}
