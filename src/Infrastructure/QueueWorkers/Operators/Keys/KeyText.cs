namespace QueueWorkers.Operators.Keys;

/// <summary>What of a key may be shown after the day it was made.</summary>
public static class KeyText
{
    // 24 of 256 bits: enough to tell a person's keys apart, useless to whoever guesses.
    private const int Shown = 7;

    /// <summary>The beginning of a key, such as <c>op_a1B2</c>, to recognise it by.</summary>
    public static string HintOf(string key) => key.Length <= Shown ? key : key[..Shown];
}
