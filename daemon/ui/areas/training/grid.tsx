/** All cameras one may see, each with a recent picture and how it is doing. */
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { Empty, Show, Skeleton } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen } from '../../parts/screen.tsx'
import { AreaIcon } from './icons.tsx'
import { createStills } from './picture/stills.ts'
import { Tile } from './tile.tsx'
import { pathOf, useTraining } from './training.ts'

export function Grid(): JSX.Element {
  const { w, cameras, ask } = useTraining()
  const stills = useMemo(
    () => createStills({ fetch: (id, signal) => ask(`${pathOf(id)}/snapshot.jpg`, { signal }) }),
    [ask],
  )
  useEffect(() => stills.start(), [stills])
  return (
    <Screen title={w('grid.title')}>
      <Show of={cameras} loading={<Skeleton rows={2} tall />}>
        {(all) =>
          all.length === 0 ? (
            <Empty icon="camera" title={w('grid.empty')} text={w('grid.emptyText')}>
              <Link to="/training/cameras/new" class="button primary">
                <Icon name="plus" size={20} />
                {w('grid.add')}
              </Link>
            </Empty>
          ) : (
            <>
              <div class="twin camera-actions">
                <Link to="/training/sessions/new" class="button primary">
                  {w('grid.start')}
                </Link>
                <Link to="/training/sessions" class="button">
                  <Icon name="chart" size={20} />
                  {w('grid.sessions')}
                </Link>
                <Link to="/training/cameras/new" class="button">
                  <Icon name="plus" size={20} />
                  {w('grid.add')}
                </Link>
                <Link to="/training/models" class="button">
                  <AreaIcon name="chip" size={20} />
                  {w('grid.models')}
                </Link>
              </div>
              <ul class="camera-grid">
                {all.map((camera) => (
                  <li key={camera.id}>
                    <Tile camera={camera} stills={stills} />
                  </li>
                ))}
              </ul>
            </>
          )
        }
      </Show>
    </Screen>
  )
}
