// The places of the chat page that its modules share.
export const thread = document.getElementById("thread");
export const stream = document.getElementById("stream");
export const conversationId = Number(thread?.dataset.conversation) || null;

export const find = (id) => stream.querySelector(`.message[data-id="${id}"]`);
export const tail = () => document.getElementById("tail");
