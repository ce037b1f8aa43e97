// The socket to the hub. After a break it says what it has seen, and gets what it has missed.

const PROTOCOL = 3;
const AGAIN = [250, 500, 1000, 2000];

export class Connection {
  #socket = null;
  #session = null;
  #number = 0;
  #commands = 0;
  #open = new Map();
  #tries = 0;

  // `heard` gets the messages, `broken` a sentence whenever the connection is lost.
  constructor(heard, broken) {
    this.heard = heard;
    this.broken = broken;
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/messages`);
    this.#socket = socket;
    socket.onopen = () => {
      const known = this.#session === null ? {} : { session: this.#session, after: this.#number };
      socket.send(JSON.stringify({ message: "join", protocol: PROTOCOL, ...known }));
    };
    socket.onmessage = (message) => this.#take(JSON.parse(message.data));
    socket.onclose = () => this.#lost();
  }

  // Sends a command; the promise gives the reason of a refusal, or nothing.
  command(what) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.resolve("there is no connection to Freehand");
    }
    this.#commands += 1;
    const id = this.#commands;
    this.#socket.send(JSON.stringify({ message: "do", id, what }));
    return new Promise((resolve) => this.#open.set(id, resolve));
  }

  #take(message) {
    this.#tries = 0;
    if (message.message === "state") {
      this.#session = message.session;
      this.#number = message.number;
    } else if (message.message === "event") {
      this.#number = message.number;
    } else if (message.message === "reply") {
      this.#open.get(message.id)?.(message.refused);
      this.#open.delete(message.id);
      return;
    }
    this.heard(message);
  }

  async #lost() {
    for (const resolve of this.#open.values()) {
      resolve("the connection broke; look whether it was done");
    }
    this.#open.clear();
    const wait = AGAIN[Math.min(this.#tries, AGAIN.length - 1)];
    this.#tries += 1;
    this.broken("no connection to Freehand; trying again …");
    await new Promise((resolve) => setTimeout(resolve, wait));
    // A server that was started anew knows our cookie no more, and a socket does not say so.
    const answer = await fetch("/runs").catch(() => null);
    if (answer?.status === 401) {
      this.broken("Freehand was started anew: open the address that it printed");
      return;
    }
    this.connect();
  }
}
