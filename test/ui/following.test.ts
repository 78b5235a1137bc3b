/** Screens say which live topics they need, and only those hear of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEvent } from '../../daemon/ui/net/socket.ts'
import { createFollowing } from '../../daemon/ui/state/following.ts'

const event = (topic: string): LiveEvent => ({ type: 'pose', topic, seq: 1, ts: '', data: null })

test('a topic is wanted while at least one screen listens', () => {
  const following = createFollowing()
  const quiet = { onEvent: () => undefined, onGap: () => undefined }
  const leaveFirst = following.follow('camera:a', { ...quiet })
  const leaveSecond = following.follow('camera:a', { ...quiet })
  assert.deepEqual(following.topics.value, ['camera:a'])
  leaveFirst()
  leaveFirst()
  assert.deepEqual(following.topics.value, ['camera:a'])
  leaveSecond()
  assert.deepEqual(following.topics.value, [])
})

test('a screen hears its own topic and nothing else', () => {
  const following = createFollowing()
  const heard: string[] = []
  following.follow('camera:a', {
    onEvent: ({ topic }) => heard.push(topic),
    onGap: () => heard.push('gap'),
  })
  following.hear(event('camera:b'))
  following.gap('camera:b')
  following.hear(event('camera:a'))
  following.gap('camera:a')
  assert.deepEqual(heard, ['camera:a', 'gap'])
})
