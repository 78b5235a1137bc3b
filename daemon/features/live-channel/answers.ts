/** A message of the hub itself, beside the events of topics. */
export interface ToldMessage {
  type: string
  [field: string]: unknown
}

export function errorMessage(code: string, message: string): ToldMessage {
  return { type: 'error', code, message }
}

/** Said alike of a topic that does not exist and of one that the client may not hear. */
export function refusedTopic(topic: string): ToldMessage {
  return { ...errorMessage('NOT_FOUND', 'There is no such topic, or you may not hear it.'), topic }
}
