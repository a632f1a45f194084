using System.IO.Pipelines;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// What a client still sends when it has been refused. Closing the connection on it would reset it, and the client
/// might never see why it was refused; so a little is read and thrown away. A client that does not stop by then is cut
/// off.
/// </summary>
internal static class RequestBodyDrain
{
    private const long Most = 16 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Answers, then throws away what comes.</summary>
    public static async Task RefuseAsync(HttpContext context, Problem problem)
    {
        await problem.AnswerAsync(context);
        if (problem.Kind != ProblemKinds.BodyTooLarge)
            return;

        await context.Response.CompleteAsync();
        if (!await EndsAsync(context.Request.BodyReader, context.RequestAborted))
            context.Abort();
    }

    private static async Task<bool> EndsAsync(PipeReader body, CancellationToken aborted)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        patience.CancelAfter(Patience);
        try
        {
            for (var discarded = 0L; discarded < Most; )
            {
                var read = await body.ReadAsync(patience.Token);
                discarded += read.Buffer.Length;
                body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return true;
            }

            return false;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return false;
        }
    }
}
