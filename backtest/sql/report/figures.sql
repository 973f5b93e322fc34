-- figures: the view `headlines`, which `perpool compare` shows.
FROM headlines
