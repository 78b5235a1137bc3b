/** Devices that stand at the door: open pairing requests, by live event and by polling while someone waits for one. */
import type { PairingRequest } from '../net/answers.ts'
import type { Api } from '../net/api.ts'
import { createResource, type Resource } from './resource.ts'

/** Where a wall tablet keeps its own key. */
export const WALL_KEY = 'homefield.wall'

export interface Pairing {
  requests: Resource<PairingRequest[]>
  decide(id: string, answer: 'approve' | 'deny'): Promise<void>
}

export function createPairing(api: Api): Pairing {
  const requests = createResource(() => api.all<PairingRequest>('/pairing/requests'))
  return {
    requests,
    async decide(id, answer) {
      await api.post(`/pairing/requests/${encodeURIComponent(id)}/${answer}`)
      await requests.reload()
    },
  }
}

/** What a joining device brings in the address, `#p1.<token>.<key hash>.<hints>`; null for any other fragment. */
export function readJoinFragment(hash: string): { token: string } | null {
  const [version, token] = hash.replace(/^#/, '').split('.')
  return version === 'p1' && token !== undefined && /^[A-Za-z0-9_-]{8,256}$/.test(token) ? { token } : null
}
