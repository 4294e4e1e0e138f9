// The chat page: messages, streaming, live cards, the composer and the list beside them.
import "./chat/list.js";
import "./chat/thread.js";
import "./chat/streaming.js";
import "./chat/cards.js";
import "./chat/questions.js";
import "./chat/schedules.js";
import "./chat/history.js";
import "./chat/checkpoints.js";
import "./chat/seek.js";
import "./chat/reactions.js";
import "./chat/reply.js";
import "./chat/composer.js";
import "./chat/connection.js";
