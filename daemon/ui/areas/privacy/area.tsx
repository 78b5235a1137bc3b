/** Privacy: who looked, what can be taken along and forgotten; owners also see how long things are kept, and backups. */
import type { JSX } from 'preact'
import { isOwner, useApp, useWords } from '../../app.ts'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen } from '../../parts/screen.tsx'
import type { Place } from '../../router.ts'
import { Nowhere } from '../../screens/nowhere.tsx'
import { BackupPage } from './backup.tsx'
import { Forget } from './forget.tsx'
import { Keeping } from './keeping.tsx'
import { Looked } from './looked.tsx'
import { TakeAlong } from './take-along.tsx'
import { words } from './words.ts'

const MORE = [
  { to: '/more/privacy/backup', icon: 'box', word: 'backup', text: 'backupText' },
  { to: '/more/privacy/keeping', icon: 'table', word: 'keeping', text: 'keepingText' },
  { to: '/more/cloud', icon: 'gateway', word: 'cloud', text: 'cloudText' },
] as const satisfies readonly { to: string; icon: IconName; word: string; text: string }[]

export function Privacy({ path }: Place): JSX.Element {
  const owner = isOwner(useApp())
  if (path === '/more/privacy') return <Overview owner={owner} />
  if (owner && path === '/more/privacy/backup') return <BackupPage />
  if (owner && path === '/more/privacy/keeping') return <Keeping />
  return <Nowhere />
}

function Overview({ owner }: { owner: boolean }): JSX.Element {
  const say = useWords(words)
  return (
    <Screen title={say('title')} back="/more" narrow>
      <p class="lead">{say('lead')}</p>
      {owner && (
        <ul class="rows">
          {MORE.map(({ to, icon, word, text }) => (
            <li key={to}>
              <Link to={to} class="row">
                <Icon name={icon} />
                <span class="row-text">
                  <span class="row-title">{say(word)}</span>
                  <span class="row-more">{say(text)}</span>
                </span>
                <Icon name="next" size={20} />
              </Link>
            </li>
          ))}
        </ul>
      )}
      <div class="privacy">
        <Looked />
        <TakeAlong />
        {owner && <Forget />}
      </div>
    </Screen>
  )
}
