// The tablet: the terminal says which question is asked, and customers tap.
//
// Nothing is put into the browser's history, so there is nothing to go back to.

import { outbox } from "./delivery.js";
import { steady } from "./hands.js";
import { link } from "./hearing.js";
import { beginAnew } from "./memory.js";
import { present } from "./scene.js";
import { listen } from "./taps.js";

steady();
listen();
beginAnew();
present({ name: "rest" });
outbox.flush();
link.run();
