/** What a vision parser throws for a file it cannot accept; the message says where and what is expected. */
export class UnreadableInput extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnreadableInput'
  }
}
