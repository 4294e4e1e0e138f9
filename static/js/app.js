// What every page of the application does; each behaviour is its own module.
import "./theme_switch.js";
import "./rail.js";
import "./menus.js";
import "./dialogs.js";
import "./times.js";
import "./keys.js";
import "./palette.js";
import "./drawer.js";
import "./run_actions.js";
import "./approvals.js";
import "./fresh.js";
import "./filters.js";
import "./notices.js";
import { connect } from "./live.js";

connect();
