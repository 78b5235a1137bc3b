/** Keeps the last known state in IndexedDB, encrypted with a key that no script can read out, so a copied profile says nothing. */

export interface Vault {
  read<Value>(name: string): Promise<Value | null>
  write(name: string, value: unknown): Promise<void>
  /** Deletes the key first: what is left is noise even if deleting the rows fails. */
  wipe(): Promise<void>
}

const DATABASE = 'homefield'
const STORE = 'vault'
const KEY = ':key'

interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  text: ArrayBuffer
}

/** `indexedDB` and `crypto.subtle` are missing where the page is not a secure context; then nothing is kept. */
export function createVault(
  indexedDB: IDBFactory | undefined,
  crypto: { subtle?: SubtleCrypto } & Pick<Crypto, 'getRandomValues'>,
): Vault {
  const { subtle } = crypto
  if (!indexedDB || !subtle) return { read: async () => null, write: async () => {}, wipe: async () => {} }
  return {
    async read<Value>(name: string) {
      try {
        const database = await open(indexedDB)
        const key = await ask<CryptoKey | undefined>(database, 'readonly', (store) => store.get(KEY))
        const sealed = await ask<Sealed | undefined>(database, 'readonly', (store) => store.get(name))
        database.close()
        if (!key || !sealed) return null
        const plain = await subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv }, key, sealed.text)
        return JSON.parse(new TextDecoder().decode(plain)) as Value
      } catch {
        // A cache that cannot be read is an empty cache.
        return null
      }
    },
    async write(name, value) {
      const database = await open(indexedDB)
      const key = await keyOf(database, subtle)
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const text = await subtle.encrypt(
        { name: 'AES-GCM', iv },
        key,
        new TextEncoder().encode(JSON.stringify(value)),
      )
      await ask(database, 'readwrite', (store) => store.put({ iv, text } satisfies Sealed, name))
      database.close()
    },
    async wipe() {
      const database = await open(indexedDB)
      await ask(database, 'readwrite', (store) => store.delete(KEY))
      await ask(database, 'readwrite', (store) => store.clear())
      database.close()
    },
  }
}

async function keyOf(database: IDBDatabase, subtle: SubtleCrypto): Promise<CryptoKey> {
  const kept = await ask<CryptoKey | undefined>(database, 'readonly', (store) => store.get(KEY))
  if (kept) return kept
  const made = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  await ask(database, 'readwrite', (store) => store.put(made, KEY))
  return made
}

function open(indexedDB: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB did not open'))
  })
}

function ask<Result>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => IDBRequest,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const request = use(database.transaction(STORE, mode).objectStore(STORE))
    request.onsuccess = () => resolve(request.result as Result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB refused'))
  })
}
