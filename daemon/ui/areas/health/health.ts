/** What every screen of this area is about: one person, in the household's units. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { useWords } from '../../app.ts'
import type { Person } from '../../net/answers.ts'
import type { Units } from '../../state/units.ts'
import { words } from './words.ts'

export interface HealthOf {
  person: Person
  units: Units
}

export const HealthContext = createContext<HealthOf | null>(null)

export function useHealth(): HealthOf {
  const health = useContext(HealthContext)
  if (!health) throw new Error('a screen was drawn outside of its area')
  return health
}

export function useSay() {
  return useWords(words)
}
