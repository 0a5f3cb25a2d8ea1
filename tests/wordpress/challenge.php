<?php
/* Plugin Name: challenge - every page is a challenge of a proxy in front of the site: 503 with a form. */
if (PHP_SAPI !== 'cli') {
    $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
    if ($path !== '/robots.txt') {
        http_response_code(503);
        header('Content-Type: text/html; charset=UTF-8');
        header('Server: cloudflare');
        header('CF-RAY: ' . bin2hex(random_bytes(8)) . '-FRA');
        header('Cache-Control: private, max-age=0, no-store');
        echo '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>',
            '<meta name="robots" content="noindex,nofollow"></head><body><noscript>Enable JavaScript and ',
            'cookies to continue</noscript><form id="challenge-form" action="/?__cf_chl_f_tk=',
            bin2hex(random_bytes(12)), '" method="POST"></form><script src="/cdn-cgi/challenge-platform/h/b/',
            'orchestrate/jsch/v1"></script></body></html>';
        exit;
    }
}
