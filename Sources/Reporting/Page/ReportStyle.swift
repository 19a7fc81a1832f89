/// How a report looks: light and dark by the reader's choice, on a phone, and in print.
enum ReportStyle {
    static let css = """
        :root{color-scheme:light dark;--page:#fbfbfa;--card:#fff;--ink:#1b1d21;--soft:#5b616b;--rule:#e3e4e8;--grid:#ececf0;
        --good:#176b3a;--warn:#8a4b00;--warnpage:#fff6e6;--s0:#1f6fd1;--s1:#c4501b;--s2:#218a5a;--s3:#8a4fc0;--s4:#b08900;--s5:#5b6470}
        @media (prefers-color-scheme:dark){:root{--page:#131518;--card:#1b1e23;--ink:#e8eaee;--soft:#a2a9b5;--rule:#30343c;
        --grid:#292d34;--good:#7ed6a0;--warn:#ffc27a;--warnpage:#2c2416;--s0:#6fb1ff;--s1:#ff9a66;--s2:#6cd6a1;--s3:#c79bf5;--s4:#e2c04d;--s5:#a2a9b5}}
        *{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:960px;margin:0 auto;padding:28px 20px 72px}
        h1{font-size:1.75rem;line-height:1.2;margin:0 0 .3rem;text-wrap:balance}
        h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--rule)}
        h3{font-size:1.05rem;margin:1.8rem 0 .4rem}
        p,li{max-width:68ch}.lead{color:var(--soft);margin:.2rem 0 1.2rem}
        .facts{display:flex;flex-wrap:wrap;gap:6px 22px;padding:0;margin:0 0 1.4rem;list-style:none;color:var(--soft);font-size:.92rem}
        .facts b{color:var(--ink);font-weight:600}
        .answers{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.9rem 1.2rem .9rem 2.1rem;margin:0 0 1.2rem}
        .answers li{margin:.35rem 0}
        .warnings{background:var(--warnpage);border-left:4px solid var(--warn);border-radius:4px;padding:.6rem 1rem .6rem 2rem;margin:.8rem 0}
        .question{color:var(--soft);margin:.1rem 0 .5rem}
        figure{margin:1rem 0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 10px 6px;break-inside:avoid}
        figcaption{font-weight:600;font-size:.95rem;padding:0 6px 6px}
        .chart{display:block;width:100%;height:auto}.chart.narrow{display:none}
        .chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--soft)}
        .chart .axis,.chart .legend,.chart .label{fill:var(--ink)}.chart .note{font-size:11px}
        .grid{stroke:var(--grid)}.zero{stroke:var(--soft);stroke-width:1.2}
        .reference{stroke:var(--ink);stroke-dasharray:4 4;stroke-width:1.2}
        .line{fill:none;stroke-width:2;stroke-linejoin:round}.band{opacity:.18;stroke:none}.whisker{stroke-width:2}
        .line.s0,.whisker.s0{stroke:var(--s0)}.line.s1,.whisker.s1{stroke:var(--s1)}.line.s2,.whisker.s2{stroke:var(--s2)}
        .line.s3,.whisker.s3{stroke:var(--s3)}.line.s4,.whisker.s4{stroke:var(--s4)}.line.s5,.whisker.s5{stroke:var(--s5)}
        .strand{fill:none;stroke-width:1;opacity:.3}.strand.s0{stroke:var(--s0)}.strand.s1{stroke:var(--s1)}.strand.s2{stroke:var(--s2)}
        .strand.s3{stroke:var(--s3)}.strand.s4{stroke:var(--s4)}.strand.s5{stroke:var(--s5)}
        .fill.s0,.band.s0{fill:var(--s0)}.fill.s1,.band.s1{fill:var(--s1)}.fill.s2,.band.s2{fill:var(--s2)}
        .fill.s3,.band.s3{fill:var(--s3)}.fill.s4,.band.s4{fill:var(--s4)}.fill.s5,.band.s5{fill:var(--s5)}
        .scroll{overflow-x:auto;margin:.5rem 0 1rem}
        table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums;min-width:100%}
        .caption{font-weight:600;font-size:.95rem;margin:1.2rem 0 .2rem;max-width:none}
        th,td{padding:.3rem .5rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
        th{color:var(--soft);font-weight:500}th.t,td.t{text-align:left}td.long{white-space:normal;min-width:16em}
        details{margin:.4rem 0}summary{cursor:pointer;color:var(--soft)}
        code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.8rem;overflow-x:auto}
        nav ol{columns:2;padding-left:1.2rem;font-size:.95rem}a{color:var(--s0)}
        footer{margin-top:3rem;color:var(--soft);font-size:.88rem}
        @media (max-width:560px){body{font-size:15px}main{padding:18px 14px 48px}h1{font-size:1.4rem}nav ol{columns:1}
        .chart.wide{display:none}.chart.narrow{display:block}figure{padding:8px 4px 2px}table{font-size:.82rem}th,td{padding:.3rem .4rem}}
        @media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#ccc;--grid:#e5e5e5;--warnpage:#fff}
        body{font-size:10.5pt}main{max-width:none;padding:0}nav,summary{display:none}details>*{display:block}h2{break-after:avoid}table,figure{break-inside:avoid}}
        """
}
