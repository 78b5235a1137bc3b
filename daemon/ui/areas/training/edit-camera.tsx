/** Changing a camera: name, people, looking, use; its name and password are replaced or forgotten, never shown. */
import { batch, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../app.ts'
import { Confirm, Form, useAction } from '../../parts/action.tsx'
import { Empty, Show } from '../../parts/feedback.tsx'
import { Choice, Field, PasswordField } from '../../parts/fields.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { isAddress } from './add/draft.ts'
import { PeopleAndLooking } from './add/people.tsx'
import type { Camera } from './answers.ts'
import { mayChange, pathOf, useTraining } from './training.ts'

export function EditCamera({ id }: { id: string }): JSX.Element {
  const app = useApp()
  const { t } = app
  const { w, cameras } = useTraining()
  return (
    <Show of={cameras}>
      {(all) => {
        const camera = all.find((one) => one.id === id)
        if (!camera || !mayChange(app, camera))
          return (
            <Screen title={w('live.missing')} back="/training" narrow>
              <Empty
                icon="shield"
                title={t('failed.missing')}
                text={camera ? w('edit.notYours') : t('error.NOT_FOUND')}
              />
            </Screen>
          )
        return (
          <Screen title={w('edit.title', { name: camera.name })} back={`/training/cameras/${id}`} narrow>
            <Settings key={camera.id} camera={camera} />
            {camera.url !== null && <SignIn camera={camera} />}
            <Remove camera={camera} />
          </Screen>
        )
      }}
    </Show>
  )
}

function Settings({ camera }: { camera: Camera }): JSX.Element {
  const { t, api, said } = useApp()
  const { w, cameras } = useTraining()
  const name = useSignal(camera.name)
  const url = useSignal(camera.url ?? '')
  const people = useSignal<readonly string[]>(camera.person_ids)
  const analyse = useSignal<'yes' | 'no'>(camera.analyse ? 'yes' : 'no')
  const enabled = useSignal<'yes' | 'no'>(camera.enabled ? 'yes' : 'no')
  const action = useAction()
  const isMoved = camera.url !== null && url.value.trim() !== camera.url
  return (
    <Form
      action={action}
      submit={t('action.save')}
      disabled={name.value.trim() === '' || (isMoved && !isAddress(url.value.trim()))}
      onSubmit={async () => {
        await api.patch<Camera>(pathOf(camera.id), {
          name: name.value.trim(),
          ...(isMoved && { url: url.value.trim() }),
          // People whom one does not know of stay as they are, as long as nothing is said about people.
          ...(!isSame(people.value, camera.person_ids) && { person_ids: people.value }),
          analyse: analyse.value === 'yes',
          enabled: enabled.value === 'yes',
        })
        await cameras.reload()
        said.value = t('said.saved')
      }}
    >
      <Field label={w('keep.name')} value={name} required maxLength={60} autocomplete="off" />
      {camera.url !== null && (
        <Field
          label={w('address.label')}
          value={url}
          type="address"
          required
          maxLength={1024}
          autocomplete="off"
        />
      )}
      <Choice
        legend={w('edit.enabled')}
        value={enabled}
        options={[
          { value: 'yes', label: w('edit.on'), text: w('edit.onText') },
          { value: 'no', label: w('edit.off'), text: w('edit.offText') },
        ]}
      />
      <PeopleAndLooking people={people} analyse={analyse} />
    </Form>
  )
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id))
}

function SignIn({ camera }: { camera: Camera }): JSX.Element {
  const { t, api, said } = useApp()
  const { w, cameras } = useTraining()
  const username = useSignal('')
  const password = useSignal('')
  const action = useAction()
  const change = async (body: { username: string; password: string }) => {
    await api.patch<Camera>(pathOf(camera.id), body)
    username.value = ''
    password.value = ''
    await cameras.reload()
  }
  return (
    <Section title={w('edit.signIn')}>
      <p class="small">{w(camera.has_credentials ? 'edit.kept' : 'edit.notKept')}</p>
      <Form
        action={action}
        submit={w('edit.replace')}
        disabled={username.value.trim() === '' && password.value === ''}
        aside={
          camera.has_credentials && (
            <Confirm
              label={w('edit.forget')}
              title={w('edit.forgetTitle')}
              text={w('edit.forgetText')}
              confirm={w('edit.forget')}
              onConfirm={async () => {
                await change({ username: '', password: '' })
                said.value = w('edit.forgotten')
              }}
            />
          )
        }
        onSubmit={async () => {
          await change({ username: username.value.trim(), password: password.value })
          said.value = t('said.saved')
        }}
      >
        <Field label={w('address.user')} value={username} type="address" maxLength={128} autocomplete="off" />
        <PasswordField
          label={w('address.password')}
          value={password}
          autocomplete="off"
          hint={w('address.secret')}
          required={false}
        />
      </Form>
    </Section>
  )
}

function Remove({ camera }: { camera: Camera }): JSX.Element {
  const { api, router, said } = useApp()
  const { w, cameras } = useTraining()
  return (
    <div class="danger-zone">
      <Confirm
        label={w('edit.remove')}
        title={w('edit.removeTitle', { name: camera.name })}
        text={w('edit.removeText')}
        confirm={w('edit.remove')}
        onConfirm={async () => {
          await api.remove(pathOf(camera.id))
          said.value = w('edit.removed', { name: camera.name })
          // Together, so that neither this screen nor the grid asks for what is gone.
          batch(() => {
            cameras.set((cameras.state.peek().value ?? []).filter(({ id }) => id !== camera.id))
            router.go('/training', { replace: true })
          })
        }}
      />
    </div>
  )
}
