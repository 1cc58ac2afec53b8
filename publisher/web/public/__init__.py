"""The pages on which readers subscribe, confirm, choose and leave, and the site beside them."""
