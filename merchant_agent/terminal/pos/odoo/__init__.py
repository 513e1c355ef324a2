"""Orders of Odoo's point of sale, polled over its JSON-RPC by a user that may only read."""
