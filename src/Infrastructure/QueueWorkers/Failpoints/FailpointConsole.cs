#if FAILPOINTS
namespace QueueWorkers.Failpoints;

/// <summary>
/// How a test talks to a process it has started. The variable <c>FAILPOINTS</c> arms from the start on. With
/// <c>FAILPOINTS=stdin</c> each line of the standard input is a new plan, answered by a line <c>failpoints armed:
/// …</c>; its end, when the test is gone, ends the process. A failpoint that fires says so before it acts.
/// </summary>
internal static class FailpointConsole
{
    private const string Variable = "FAILPOINTS";
    private static int _listening;

    public static void Listen()
    {
        var plan = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(plan) || Interlocked.Exchange(ref _listening, 1) == 1)
            return;
        if (plan != "stdin")
            FailpointPlan.Arm(plan);
        else
            new Thread(Read) { IsBackground = true, Name = "failpoints" }.Start();
    }

    public static void Fired(string name) => Console.Out.WriteLine($"failpoint fired: {name}");

    private static void Read()
    {
        while (Console.In.ReadLine() is { } plan)
        {
            FailpointPlan.Arm(plan);
            Console.Out.WriteLine($"failpoints armed: {plan}");
        }

        Environment.Exit(0);
    }
}
#endif
