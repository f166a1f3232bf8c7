package course

// What the engine itself says, in each language. The lessons' words are in their files.
var (
	sayAskFirst        = phrase{"Enter runs it · a letter and Enter: s skip · b back · r repeat the last · ! shell · q leave", "回车执行 · 字母加回车：s 跳过 · b 返回 · r 重做上一步 · ! 打开 shell · q 离开"}
	sayAsk             = phrase{"Enter runs it · s skip · b back · r repeat the last · ! shell · q leave", "回车执行 · s 跳过 · b 返回 · r 重做上一步 · ! 打开 shell · q 离开"}
	sayAskOn           = phrase{"Enter goes on · b back · r repeat the last · ! shell · q leave", "回车继续 · b 返回 · r 重做上一步 · ! 打开 shell · q 离开"}
	sayAskExercise     = phrase{"! shell to work in · Enter checks · h hint · v solution · s skip · b back · q leave", "! 打开 shell 来做 · 回车检查 · h 提示 · v 答案 · s 跳过 · b 返回 · q 离开"}
	sayAskSetUp        = phrase{"Enter tries again · ! shell, to see what stands in the way · s skip · b back · q leave", "回车再试 · ! 打开 shell，看看是什么挡住了 · s 跳过 · b 返回 · q 离开"}
	sayNotSetUp        = phrase{"This exercise cannot begin yet: %v", "这道练习还无法开始：%v"}
	sayAskResume       = phrase{"You were at %s. Enter goes on there · a starts again · q leaves", "上次学到“%s”。回车接着学 · a 从头开始 · q 离开"}
	sayMore            = phrase{"Enter or space goes on · q leaves", "回车或空格继续 · q 离开"}
	sayNoSuchKey       = phrase{"No such key: %q.", "没有“%s”这个键。"}
	sayNothingYet      = phrase{"There is no step before this one to repeat.", "前面还没有可以重做的步骤。"}
	sayShell           = phrase{"A shell in the lab. `exit` or Ctrl-D brings you back.", "这是实验环境里的 shell，输入 `exit` 或按 Ctrl-D 返回。"}
	sayExerciseShell   = phrase{"A shell in the lab. `sandbox lab check` looks whether it is done, `sandbox lab hint` helps; `exit` or Ctrl-D brings you back.", "这是实验环境里的 shell。`sandbox lab check` 检查做得对不对，`sandbox lab hint` 给提示；输入 `exit` 或按 Ctrl-D 返回。"}
	sayShellLeft       = phrase{"Back in the lesson.", "回到课程。"}
	sayLeft            = phrase{"Left. `sandbox lab %s` goes on here.", "已离开。再次执行 `sandbox lab %s` 可以从这里继续。"}
	sayNext            = phrase{"Next: `sandbox lab %s`, %s.", "接下来：`sandbox lab %s`，%s。"}
	sayDone            = phrase{"That was lab %s.", "实验 %s 到此结束。"}
	sayOpen            = phrase{"Exercises not solved yet: %s. `sandbox lab shell %s` takes you to them.", "还没做完的练习：%s。用 `sandbox lab shell %s` 可以接着做。"}
	sayComma           = phrase{", ", "、"}
	sayType            = phrase{"now type: %s", "请输入：%s"}
	sayTyped           = phrase{"typed: %s", "输入：%s"}
	sayWrongExit       = phrase{"That ended with exit status %d; the lesson expected %s.", "退出状态是 %d，而课程预期的是%s。"}
	sayGoBack          = phrase{"r tries it again, b goes back to what it may need (at a question: Enter first).", "按 r 重做；按 b 退回到它可能要用到的步骤（若正在答题，先按回车跳过）。"}
	sayAnyFailure      = phrase{"a failure", "失败（非零）"}
	sayExit            = phrase{"%d", " %d"}
	sayStepSkipped     = phrase{"(left out here: %s)", "（此处略过：%s）"}
	sayWelcome         = phrase{"This is a machine of your own: nothing of what you do here reaches the real one. `sandbox lab check` looks whether it is done, `sandbox lab hint` and `sandbox lab solution` help. `exit` leaves.", "这是一台属于你自己的机器：在这里做什么，都不会影响真正的机器。`sandbox lab check` 检查是否做对，`sandbox lab hint` 和 `sandbox lab solution` 可以帮忙。用 `exit` 离开。"}
	sayTryExercise     = phrase{"Your turn: `sandbox lab shell %s`, then `sandbox lab check %s %d` (or `hint`, or `solution`).", "轮到你了：先用 `sandbox lab shell %s` 动手做，再用 `sandbox lab check %s %d` 检查（还有 `hint` 和 `solution`）。"}
	sayNeeds           = phrase{"(left out on some machines: %s)", "（有些机器上略过：%s）"}
	sayExerciseLeftOut = phrase{"This exercise cannot be done here: %s.", "这道练习在这里做不了：%s。"}
	sayExpected        = phrase{"expected: ", "应当是："}
	sayFound           = phrase{"found:    ", "实际是："}
	sayNothing         = phrase{"(nothing)", "（空）"}
	saySkipped         = phrase{"not checked here: %s", "此处不检查：%s"}
	sayAllPassed       = phrase{"All of it is right.", "全部正确。"}
	sayAllSolved       = phrase{"That was the last exercise of lab %s.", "实验 %s 的练习全部完成。"}
	sayNotYet          = phrase{"Not yet.", "还没有做对。"}
	sayWatching        = phrase{"Watching: work in the other terminal. Ctrl-C ends it.", "正在观察：请在另一个终端里动手，按 Ctrl-C 结束。"}
	sayHint            = phrase{"Hint %d of %d", "提示（%d/%d）"}
	sayLastHint        = phrase{"That was the last hint. `sandbox lab solution %s` shows one way to do it.", "提示到此为止。用 `sandbox lab solution %s` 可以看一种做法。"}
	sayLastHintKey     = phrase{"That was the last hint. The key v shows one way to do it.", "提示到此为止。按 v 可以看一种做法。"}
	sayPredict         = phrase{"**What do you think?** ", "**先猜一猜**："}
	sayAskPredict      = phrase{"a to %s and Enter answers · Enter passes · r repeat · ! shell · q leave", "a～%s 加回车作答 · 直接回车跳过 · r 重做上一步 · ! 打开 shell · q 离开"}
	sayAnswer          = phrase{"**The answer is %s)** %s", "**答案是 %s）** %s"}
	sayPredicted       = phrase{"As you said.", "猜对了。"}
	sayMispredicted    = phrase{"You said %s. It turned out otherwise.", "你猜的是 %s，结果却不是。"}
	sayNotProved       = phrase{"The lesson says that %s) is right, but what was printed does not show it.", "课程给出的答案是 %s），但刚才的输出并不支持它。"}
	sayNoHint          = phrase{"Nothing to hint at: every condition holds.", "没有需要提示的：所有条件都已满足。"}
	saySolution        = phrase{"One way to do it:", "做法之一："}
	sayResetExercise   = phrase{"Exercise %d is at its beginning again.", "练习 %d 已经重新布置好。"}
	sayReset           = phrase{"Lab %s is as it was before you began.", "实验 %s 已恢复到开始之前的样子。"}
	sayUnwritten       = phrase{"not written yet", "尚未编写"}
	sayNotInLanguage   = phrase{"not in English: --lang zh", "没有中文版：--lang en"}
	sayListHelp        = phrase{"`sandbox lab 1.1` starts a lab. ✓ done, … begun.", "用 `sandbox lab 1.1` 开始一个实验。✓ 已完成，… 学习中。"}
	sayProveEarly      = phrase{"exercise %d: its checks pass before anything has been done", "练习 %d：什么都还没做，检查就已通过"}
	sayProveFailed     = phrase{"exercise %d: its checks do not pass after the solution", "练习 %d：按答案做完后检查仍未通过"}
	sayProved          = phrase{"exercise %d: fails unsolved, passes with the solution", "练习 %d：未做时不通过，按答案做后通过"}

	sayReportHead      = phrase{"Report of %s, %s, seed %s", "%s 的学习报告，%s，种子 %s"}
	sayReportEmpty     = phrase{"No lab has been begun. `sandbox lab` lists them.", "还没有开始任何实验。`sandbox lab` 列出所有实验。"}
	sayReportPredicted = phrase{", predicted right %d/%d", "，猜对 %d/%d"}
	sayReportSolved    = phrase{"exercise %d: solved %s (failed checks before: %d, hints to level %d)", "练习 %d：%s 完成（此前检查未通过 %d 次，提示用到第 %d 级）"}
	sayReportStuck     = phrase{"exercise %d: not yet (failed checks: %d, hints to level %d); still wrong: %s", "练习 %d：尚未完成（检查未通过 %d 次，提示用到第 %d 级）；还不对的是：%s"}
	sayReportSigned    = phrase{"Signature %s…; to hand it in: sandbox lab report --format json > report.json", "签名 %s……；要上交，请执行：sandbox lab report --format json > report.json"}

	sayExercisesSolved = phrase{"exercises %d/%d", "练习 %d/%d"}
	sayNextSection     = phrase{", next: %s", "，下一节：%s"}
)
