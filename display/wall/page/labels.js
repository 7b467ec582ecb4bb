// The fixed words of the page, by language. call is what stands before the number,
// between number and window, and after the window.
export const LABELS = {
  zh: {
    now: "正在叫号", recent: ["票号", "窗口", "状态"], windows: "窗口", queues: "等候人数", call: ["请", "到", "号窗口"],
    desk: (n) => `${n} 号`, floor: (n) => `${n} 楼`, people: (n) => `${n} 人`, minutes: (n) => `约 ${n} 分钟`,
    status: { calling: "请前往", serving: "办理中", paused: "暂停服务", idle: "空闲" }, called: "已叫号",
    cut: "连接中断，号码可能不是最新", closed: "今日服务已结束", welcome: "请取号，在等候区等候叫号", clock: "系统时钟未校准，时间仅供参考",
    date: (d) => `${d.getUTCMonth() + 1}月${d.getUTCDate()}日 星期${"日一二三四五六"[d.getUTCDay()]}`,
  },
  en: {
    now: "Now calling", recent: ["Ticket", "Window", "Status"], windows: "Windows", queues: "Waiting", call: ["Ticket", "window", ""],
    desk: (n) => `${n}`, floor: (n) => `Floor ${n}`, people: (n) => `${n}`, minutes: (n) => `~${n} min`,
    status: { calling: "please go", serving: "serving", paused: "paused", idle: "free" }, called: "called",
    cut: "Connection lost: numbers may be old", closed: "Closed for today", welcome: "Please take a ticket and wait for your number", clock: "Clock not set",
    date: (d) => d.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" }),
  },
  ja: {
    now: "お呼び出し中", recent: ["番号", "窓口", "状況"], windows: "窓口", queues: "待ち人数", call: ["番号", "", "番窓口へ"],
    desk: (n) => `${n} 番`, floor: (n) => `${n} 階`, people: (n) => `${n} 人`, minutes: (n) => `約 ${n} 分`,
    status: { calling: "お越しください", serving: "対応中", paused: "休止中", idle: "空き" }, called: "呼出済",
    cut: "接続が切れました", closed: "本日の受付は終了しました", welcome: "番号札をお取りください", clock: "時計が未設定です",
    date: (d) => `${d.getUTCMonth() + 1}月${d.getUTCDate()}日（${"日月火水木金土"[d.getUTCDay()]}）`,
  },
  ko: {
    now: "호출 중", recent: ["번호", "창구", "상태"], windows: "창구", queues: "대기 인원", call: ["번호", "", "번 창구"],
    desk: (n) => `${n}번`, floor: (n) => `${n}층`, people: (n) => `${n}명`, minutes: (n) => `약 ${n}분`,
    status: { calling: "오십시오", serving: "업무 중", paused: "중지", idle: "대기" }, called: "호출됨",
    cut: "연결이 끊겼습니다", closed: "오늘 업무가 끝났습니다", welcome: "번호표를 뽑고 기다려 주십시오", clock: "시계가 맞지 않습니다",
    date: (d) => `${d.getUTCMonth() + 1}월 ${d.getUTCDate()}일 (${"일월화수목금토"[d.getUTCDay()]})`,
  },
};

// sentence is the call in one language, for the lines below the large one.
export const SENTENCE = {
  zh: (n, w) => `请 ${n} 号到 ${w} 号窗口`,
  en: (n, w) => `Ticket ${n}, please go to window ${w}`,
  ja: (n, w) => `番号 ${n} の方は ${w} 番窓口へお越しください`,
  ko: (n, w) => `${n}번 고객님은 ${w}번 창구로 오십시오`,
};
