namespace Orders.Chaos.Running;

/// <summary>Stops a container's processes where they are.</summary>
/// <remarks>
/// A kernel with version 1 of control groups does not freeze a group while a process of it forks; the runtime tries for
/// a moment, thaws what it has frozen and gives up. PostgreSQL forks for each connection, most of all when many come
/// back after a fault. The container runs on as if nothing had been asked, so asking again changes nothing but when the
/// fault begins.
/// </remarks>
internal static class Freezer
{
    private const string Refusal = "unable to freeze";
    private const int MostTries = 20;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(250);

    /// <summary>Pauses a container.</summary>
    /// <exception cref="InvalidOperationException">Docker refused for another reason, or the kernel did so every
    /// time.</exception>
    public static async Task PauseAsync(string container, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await Docker.RunAsync("pause", container);
                return;
            }
            catch (InvalidOperationException refused)
                when (tries < MostTries && refused.Message.Contains(Refusal, StringComparison.Ordinal))
            {
                Console.Error.WriteLine(
                    $"chaos: the kernel has not frozen {container} at try {tries} of {MostTries}; asking again"
                );
            }

            await Task.Delay(Between, cancellationToken);
        }
    }
}
