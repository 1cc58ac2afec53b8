"""What is being written, in a browser, as readers will see it: letters, the site, feeds. Changes nothing."""
