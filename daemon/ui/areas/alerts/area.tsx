/** Alerts: what calls for somebody now, what did before, and who would hear the next one. */
import type { JSX } from 'preact'
import { match, type Place } from '../../router.ts'
import { Nowhere } from '../../screens/nowhere.tsx'
import { AlertPage } from './alert-page.tsx'
import { EpisodePage } from './episode.tsx'
import { GroupsPage } from './groups.tsx'
import { AlertList } from './list.tsx'
import { PushPage } from './push.tsx'
import { QuietPage } from './quiet.tsx'
import { ReachPage } from './reach.tsx'
import { RulesPage } from './rules.tsx'
import { ZonesPage } from './zones.tsx'

export function Alerts({ path }: Place): JSX.Element {
  if (path === '/alerts') return <AlertList />
  if (path === '/alerts/reach') return <ReachPage />
  if (path === '/alerts/groups') return <GroupsPage />
  if (path === '/alerts/quiet') return <QuietPage />
  if (path === '/alerts/push') return <PushPage />
  if (path === '/alerts/zones') return <ZonesPage />
  if (path === '/alerts/rules') return <RulesPage personId={null} />
  const rules = match('/alerts/rules/:person', path)
  if (rules) return <RulesPage personId={rules['person'] ?? null} />
  const episode = match('/alerts/episodes/:id', path)
  if (episode) return <EpisodePage key={episode['id']} id={episode['id'] ?? ''} />
  const one = match('/alerts/:id', path)
  return one ? <AlertPage key={one['id']} id={one['id'] ?? ''} /> : <Nowhere />
}
