/** The photo of one meal: added, shown small, looked at whole, deleted. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import { ApiError } from '../../../net/api.ts'
import { Confirm, ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import type { Meal } from '../answers.ts'
import { fetchPhoto, fitting, type PhotoSize, photoPath, sendPhoto } from './photo.ts'
import { words } from './words.ts'

export interface MealPhotoProps {
  meal: Meal
  /** What the meal is called, for those who hear the page. */
  name: string
  onChanged: () => void
}

export function MealPhoto({ meal, name, onChanged }: MealPhotoProps): JSX.Element {
  return meal.has_photo ? (
    <Shown meal={meal} name={name} onChanged={onChanged} />
  ) : (
    <Add meal={meal} name={name} onChanged={onChanged} />
  )
}

function Add({ meal, name, onChanged }: MealPhotoProps): JSX.Element {
  const { t, session, said } = useApp()
  const say = useWords(words)
  const action = useAction()
  const fraction = useSignal<number | null>(null)
  return (
    <>
      {fraction.value === null ? (
        <PhotoInput label={say('photo.add')} about={say('photo.addTo', { meal: name })} onPhoto={send} />
      ) : (
        <progress aria-label={say('photo.sending')} value={fraction.value} />
      )}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </>
  )

  function send(photo: Blob): void {
    void action.run(async () => {
      fraction.value = 0
      try {
        await sendPhoto(session, meal.id, photo, (done) => {
          fraction.value = done
        })
        said.value = say('photo.saved')
        onChanged()
      } finally {
        fraction.value = null
      }
    })
  }
}

export interface PhotoInputProps {
  label: string
  /** The same with what it is of, where there are several: then a picture is enough to press. */
  about?: string
  onPhoto: (photo: Blob) => void
}

/** A phone offers its camera and its pictures. */
export function PhotoInput({ label, about, onPhoto }: PhotoInputProps): JSX.Element {
  const { t } = useApp()
  const say = useWords(words)
  const action = useAction()
  return (
    <span class="photo-input">
      <label class={about === undefined ? 'button compact' : 'icon-button'}>
        <Icon name="photo" size={about === undefined ? 20 : 22} />
        <span class={about === undefined ? undefined : 'visually-hidden'}>{about ?? label}</span>
        <input
          type="file"
          class="visually-hidden"
          accept="image/jpeg,image/png"
          disabled={action.busy.value}
          onChange={(event) => {
            const { currentTarget: input } = event
            const [file] = input.files ?? []
            if (!file) return
            void action.run(async () => {
              const photo = await fitting(file)
              input.value = ''
              if (photo === null) throw new ApiError('UNREADABLE', say('photo.unreadable'))
              onPhoto(photo)
            })
          }}
        />
      </label>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </span>
  )
}

function Shown({ meal, name, onChanged }: MealPhotoProps): JSX.Element {
  const { api, said } = useApp()
  const say = useWords(words)
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = useSignal(false)
  return (
    <>
      <button
        type="button"
        class="photo-thumb"
        aria-label={say('photo.open', { meal: name })}
        onClick={() => {
          isOpen.value = true
          dialog.current?.showModal()
        }}
      >
        <Picture mealId={meal.id} size="thumb" alt="" />
      </button>
      <dialog
        ref={dialog}
        class="dialog photo-full"
        aria-label={say('photo.open', { meal: name })}
        onClose={() => {
          isOpen.value = false
        }}
      >
        {isOpen.value && <Picture mealId={meal.id} size="full" alt={say('photo.open', { meal: name })} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {say('photo.close')}
          </button>
          <Confirm
            label={say('photo.remove')}
            title={say('photo.removeTitle')}
            text={say('photo.removeText')}
            confirm={say('photo.remove')}
            onConfirm={async () => {
              await api.remove(photoPath(meal.id))
              said.value = say('photo.removed')
              dialog.current?.close()
              onChanged()
            }}
          />
        </div>
      </dialog>
    </>
  )
}

function Picture({ mealId, size, alt }: { mealId: string; size: PhotoSize; alt: string }): JSX.Element {
  const { session } = useApp()
  const say = useWords(words)
  const url = useSignal<string | null | undefined>(undefined)
  useEffect(() => {
    let isOver = false
    void fetchPhoto(session, mealId, size).then((found) => {
      if (isOver && found !== null) URL.revokeObjectURL(found)
      else url.value = found
    })
    return () => {
      isOver = true
      if (url.peek()) URL.revokeObjectURL(url.peek() ?? '')
    }
  }, [mealId, size])
  if (url.value === null) return size === 'full' ? <p>{say('photo.gone')}</p> : <Icon name="photo" />
  return url.value === undefined ? <span class="photo-wait" /> : <img src={url.value} alt={alt} />
}
